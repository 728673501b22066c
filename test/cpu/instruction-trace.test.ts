/** A trace shows what is executed, of the window that was asked for, and a guest cannot tell that it is traced. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type EngineOptions, Hart } from '../../engine/cpu/hart';
import type { TraceOptions } from '../../engine/cpu/instruction-trace';
import * as at from '../../engine/cpu/layout';
import { assemble } from '../../engine/isa/assembler';
import { atOnce, branchingPrograms, fingerprint, hartWith } from './translator/programs';

const BASE = 0x80000000n;
const engines: readonly EngineOptions[] = [
  { kind: 'interpreter' },
  atOnce,
  { kind: 'translator', threshold: 5 },
];

function traced(
  lines: readonly string[],
  options: Partial<TraceOptions> = {},
): { hart: Hart; shown: string[] } {
  const shown: string[] = [];
  const hart = new Hart({
    ramSize: 2 ** 20,
    bus: { read: () => undefined, write: () => false },
    trace: { from: 0, count: 1000, write: (line) => shown.push(line), ...options },
  });
  const view = new DataView(hart.ram.buffer, hart.ram.byteOffset);
  lines.forEach((line, i) => view.setUint32(4 * i, assemble(line).word, true));
  hart.pc = BASE;
  return { hart, shown };
}

test('a line has count, hart, mode, pc, symbol, instruction, and what it changed', () => {
  const symbols = (physical: number): string => `code+0x${(physical - 0x80000000).toString(16)}`;
  const { hart, shown } = traced(['addi a0, zero, 26', 'csrrw zero, 0x340, a0', 'sd a0, 0(a0)', 'ebreak'], {
    symbols,
  });
  hart.setCell(at.MTVEC, BASE + 12n);
  hart.run(4);
  expect(shown.map((line) => line.trim())).toEqual([
    '0 0 M 0000000080000000 <code+0x0> addi a0, zero, 26 | a0=1a',
    '1 0 M 0000000080000004 <code+0x4> csrrw zero, 0x340, a0 | mscratch=1a',
    expect.stringMatching(
      /^2 0 M 0000000080000008 <code\+0x8> sd a0, 0\(a0\) \| -> store-(misaligned|access-fault) (?=.*mepc=80000008)/,
    ),
    expect.stringMatching(/^3 0 M 000000008000000c <code\+0xc> ebreak \| -> breakpoint (?=.*mcause=3)/),
  ]);
});

test('an interrupt is told before the first instruction of its handler', () => {
  const { hart, shown } = traced([
    'addi a0, zero, 1',
    'addi a0, zero, 2',
    'addi a0, zero, 3',
    'addi a0, zero, 4',
  ]);
  hart.setCell(at.MTVEC, BASE + 8n);
  hart.setCell(at.MIE, 8n);
  hart.run(1);
  hart.setCell(at.MSTATUS, hart.cell(at.MSTATUS) | 8n);
  hart.setLine(3, true);
  hart.run(1);
  expect(shown.map((line) => line.trim())).toEqual([
    expect.stringContaining('addi a0, zero, 1 | a0=1'),
    '1 0 -- machine-software-interrupt before 0000000080000004',
    expect.stringMatching(/^1 0 M 0000000080000008 addi a0, zero, 3 \| .*a0=3/),
  ]);
});

test('what lies outside of the window is executed and not shown', () => {
  let ended = 0;
  const { hart, shown } = traced(['addi a0, a0, 1', 'jal zero, -4'], {
    from: 100,
    count: 6,
    ended: () => ended++,
  });
  hart.run(99);
  expect(shown).toEqual([]);
  hart.run(4);
  expect([shown.length, ended]).toEqual([3, 0]);
  hart.run(1000);
  expect([shown.length, ended]).toEqual([6, 1]);
  expect(shown.map((line) => Number(line.trim().split(' ')[0]))).toEqual([100, 101, 102, 103, 104, 105]);
  expect(hart.steps).toBe(1103n);
});

test('a traced run is the same run, with either engine, wherever window and cuts fall', () => {
  fc.assert(
    fc.property(
      branchingPrograms(true),
      fc.constantFrom(...engines),
      fc.integer({ min: 0, max: 1500 }),
      fc.integer({ min: 1, max: 1500 }),
      fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 4 }),
      ({ halves, offset }, engine, from, count, budgets) => {
        const shown = createHash('sha256');
        let lines = 0;
        const write = (line: string): void => {
          shown.update(line);
          lines++;
        };
        const plain = hartWith(halves, offset);
        const watched = hartWith(halves, offset, engine, { from, count, write });
        for (const budget of budgets) {
          expect(watched.run(budget)).toBe(plain.run(budget));
          expect(fingerprint(watched)).toBe(fingerprint(plain));
        }
        const executed = Number(plain.steps);
        expect(lines).toBe(Math.max(0, Math.min(executed, from + count) - from));
      },
    ),
    { numRuns: process.env['TEST_FULL'] === '1' ? 500 : 30 },
  );
});
