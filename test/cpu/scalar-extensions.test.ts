/** What lock-step with QEMU leaves out of the scalar extensions, because the manual lets it be or QEMU strays from it. */
import fc from 'fast-check';
import { Hart } from '../../engine/cpu/hart';
import * as at from '../../engine/cpu/layout';
import { assemble } from '../../engine/isa/assembler';
import { chooseExtensions } from '../../engine/isa/extensions';
import { pokeWords, underTest } from './engine-under-test';

const RAM_BASE = 0x8000_0000n;
const HANDLER = RAM_BASE + 0x8000n;
const DATA = RAM_BASE + 0x1_0000n;
const DEVICE = 0x1000_0000n;
const Cause = { illegal: 2n, storeMisaligned: 6n, storeAccess: 7n } as const;
const [A0, A1, A2, A3] = [10, 11, 12, 13] as const;
const TW = 1n << 21n;

interface Start {
  readonly privilege?: 0 | 1 | 3;
  readonly registers?: Readonly<Record<number, bigint>>;
  readonly cells?: readonly (readonly [cell: number, value: bigint])[];
}

/** Executes the lines one after the other, and gives the hart as it is then. */
function run(lines: readonly string[], { privilege = 3, registers = {}, cells = [] }: Start = {}): Hart {
  const hart = new Hart({
    ...underTest,
    ramSize: 2 ** 20,
    bus: { read: () => 0, write: () => true },
    extensions: chooseExtensions(['max']),
  });
  const words = lines.map((line) => assemble(line).word);
  pokeWords(hart, 0, words);
  const open = [
    [at.PMPCFG, 0x1fn],
    [at.PMPADDR, (1n << 54n) - 1n],
    [at.MTVEC, HANDLER],
  ] as const;
  for (const [cell, value] of [...open, ...cells]) hart.setCell(cell, value);
  for (const [number, value] of Object.entries(registers)) hart.setX(Number(number), value);
  hart.restoreState(hart.saveState()); // what is derived from PMP is made anew
  hart.pc = RAM_BASE;
  hart.privilege = privilege;
  hart.run(lines.length);
  return hart;
}

const trapOf = (hart: Hart): readonly [cause: bigint, value: bigint] | undefined =>
  hart.pc === HANDLER ? [hart.cell(at.MCAUSE), hart.cell(at.MTVAL)] : undefined;
const wordOf = (line: string): bigint => BigInt(assemble(line).word);

describe('wrs.nto', () => {
  const reserveAndWait = ['lr.d a0, (a1)', 'wrs.nto'];
  const registers = { [A1]: DATA };

  test.each([0, 1] as const)('is illegal in mode %d under TW while a reservation stands', (privilege) => {
    const hart = run(reserveAndWait, { privilege, registers, cells: [[at.MSTATUS, TW]] });
    expect(trapOf(hart)).toEqual([Cause.illegal, wordOf('wrs.nto')]);
  });

  test('goes on in M-mode, without TW, without a reservation, and for a pending interrupt', () => {
    const under = [[at.MSTATUS, TW]] as const;
    const interrupt = [...under, [at.MIP, 2n], [at.MIE, 2n], [at.MIDELEG, 2n]] as const;
    expect(trapOf(run(reserveAndWait, { registers, cells: under }))).toBeUndefined();
    expect(trapOf(run(reserveAndWait, { privilege: 0, registers }))).toBeUndefined();
    expect(trapOf(run(['wrs.nto'], { privilege: 1, cells: under }))).toBeUndefined();
    expect(trapOf(run(reserveAndWait, { privilege: 1, registers, cells: interrupt }))).toBeUndefined();
  });

  test('wrs.sto never is: it waits for a short time only', () => {
    const lines = ['lr.d a0, (a1)', 'wrs.sto'];
    expect(trapOf(run(lines, { privilege: 0, registers, cells: [[at.MSTATUS, TW]] }))).toBeUndefined();
  });
});

describe('cache-block operations', () => {
  test('on device registers: managing is for nothing, zeroing an access fault', () => {
    const registers = { [A0]: DEVICE };
    expect(trapOf(run(['cbo.flush (a0)'], { registers }))).toBeUndefined();
    expect(trapOf(run(['cbo.zero (a0)'], { registers }))).toEqual([Cause.storeAccess, DEVICE]);
  });

  test('the reserved value of CBIE changes nothing', () => {
    const lines = ['csrrw zero, 0x30a, a0', 'csrrw zero, 0x30a, a1', 'csrrs a2, 0x30a, zero'];
    fc.assert(
      fc.property(fc.constantFrom(0n, 1n, 3n), fc.bigInt(0n, 3n), (before, rest) => {
        const hart = run(lines, {
          registers: { [A0]: (before << 4n) | (3n << 6n), [A1]: (2n << 4n) | (rest << 6n) },
        });
        expect(hart.x(A2) & 0xf0n).toBe((before << 4n) | (rest << 6n));
      }),
      { numRuns: 24 },
    );
  });

  test('zeroing makes the page dirty', () => {
    const hart = run(['cbo.zero (a0)'], { registers: { [A0]: DATA + 100n } });
    const flags = hart.pageFlags[Number(DATA - RAM_BASE) / 4096]!;
    expect(flags & at.PAGE_DIRTY).toBe(at.PAGE_DIRTY);
  });
});

describe('amocas', () => {
  test('of quadwords needs their alignment', () => {
    const hart = run(['amocas.q a2, a0, (a1)'], { registers: { [A1]: DATA + 8n } });
    expect(trapOf(hart)).toEqual([Cause.storeMisaligned, DATA + 8n]);
  });

  test('a failing one leaves memory and gives what is there', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n), (there, expected) => {
        const hart = run(['sd a0, 0(a1)', 'amocas.d a2, a3, (a1)', 'ld a3, 0(a1)'], {
          registers: { [A0]: there, [A1]: DATA, [A2]: expected, [A3]: 7n },
        });
        expect(hart.x(A2)).toBe(there);
        expect(hart.x(A3)).toBe(there === expected ? 7n : there);
      }),
      { numRuns: 30, examples: [[5n, 5n]] },
    );
  });
});
