/** Two engines in lock-step: equal where they are, and where one is broken on purpose, the report names what is. */
import fc from 'fast-check';
import type { EngineOptions } from '../../../engine/cpu/hart';
import { assemble } from '../../../engine/isa/assembler';
import type { Instruction } from '../../../engine/isa/instruction';
import { guestFactory } from '../../../engine/models/create';
import type { Exit, MachineDefinition } from '../../../engine/models/guest';
import { LockStep } from '../../../engine/models/lock-step/lock-step';
import { describeFile, noHost } from '../../guests/raw-guest';

type Substitute = NonNullable<EngineOptions['substitute']>;

/** A program that starts in M-mode at 0x80000000, on a machine without firmware. */
function lockStep(lines: readonly string[], substitute?: Substitute, piece?: number): LockStep {
  const firmware = new Uint8Array(4 * lines.length);
  lines.forEach((line, i) => new DataView(firmware.buffer).setUint32(4 * i, assemble(line).word, true));
  const definition: MachineDefinition = {
    version: 1,
    model: 'machine',
    memory: 2 ** 20 * 8,
    clock: 'deterministic',
    firmware: describeFile('program', firmware),
  };
  return new LockStep({
    create: (engine) => guestFactory({ ...noHost, engine })(definition, { firmware }),
    translator: { threshold: 0, ...(substitute && { substitute }) },
    ...(piece !== undefined && { piece }),
  });
}

/** Another row's meaning in place of the row's own. */
const replace =
  (mnemonic: string, semantics: Instruction['semantics']): Substitute =>
  (row) =>
    row.mnemonic === mnemonic ? { ...row, semantics } : row;

const message = (exit: Exit): string => (exit.reason === 'fault' ? exit.message : `no fault: ${exit.reason}`);

/** Counts in t0 and sums in t1; every 1024th time round it does what is rare. */
const program = (rare: readonly string[]): string[] => [
  'auipc s0, 4096', // data: 0x80001000
  'addi t0, zero, 0',
  'addi t0, t0, 1',
  'add t1, t1, t0',
  'sd t1, 0(s0)',
  'andi t2, t0, 1023',
  'bne t2, zero, -16',
  ...rare,
  `jal zero, ${-4 * (rare.length + 5)}`,
];

test('engines that agree run on as one guest', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 700, max: 20_000 }),
      (budgets, piece) => {
        const guest = lockStep(program(['xor t1, t1, t0']), undefined, piece);
        let executed = 0;
        for (const instructions of budgets) {
          expect(guest.run({ instructions })).toEqual({ reason: 'budget' });
          expect(guest.instructions).toBe((executed += instructions));
        }
        expect(guest.comparisons).toBeGreaterThanOrEqual(budgets.length);
      },
    ),
    { numRuns: 10 },
  );
});

describe('a row that is translated wrongly is named', () => {
  const wrongXor = replace('xor', (x) => x.rd(x.add(x.rs1, x.rs2)));

  test.each([100, 4096, 1_000_000])('with its registers, when %i instructions are between looks', (piece) => {
    const guest = lockStep(program(['xor t3, t1, t0']), wrongXor, piece);
    const text = message(guest.run({ instructions: 3_000_000 }));
    expect(text).toContain(
      [
        'interpreter and translator differ after instruction 15366 (hart 0)',
        '  at M 000000008000001c xor t3, t1, t0',
        '  before: t0=0000000000000c00 t1=0000000000480600 t3=0000000000200c00\n',
      ].join('\n'),
    );
    // Twice before, both came to the same: no bit was set in both.
    const sum = (0x480600 + 0xc00).toString(16).padStart(16, '0');
    const xor = (0x480600 ^ 0xc00).toString(16).padStart(16, '0');
    expect(text).toMatch(new RegExp(`\n {2}t3 +${xor} {2}${sum}\n`));
    // It stays so: nothing is run on behind a difference.
    expect(message(guest.run({ instructions: 1 }))).toBe(text);
  });

  test('when it stores, by the place in memory', () => {
    const wrongStore = replace('sw', (x) => x.store('h', x.add(x.rs1, x.imm), x.rs2));
    const text = message(
      lockStep(program(['lui t3, 73728', 'sw t3, 64(s0)']), wrongStore).run({ instructions: 1_000_000 }),
    );
    expect(text).toContain('sw t3, 64(s0)\n');
    expect(text).toMatch(/RAM at 80001040 +[0-9a-f]{8}00012000/);
  });

  test('when it goes elsewhere', () => {
    const wrongBranch = replace('bgeu', (x) => x.branch(x.ltU(x.rs1, x.rs2)));
    const text = message(
      lockStep(program(['bgeu t0, t1, 8', 'addi a0, a0, 1']), wrongBranch).run({ instructions: 1e6 }),
    );
    expect(text).toContain('bgeu t0, t1, 8\n');
    expect(text).toMatch(/\n {2}pc +/);
  });

  test('when only its neighbourhood makes it wrong, by the region', () => {
    // Wrong behind an `xor` in the same region, and right by itself.
    const last = new WeakMap<object, string>();
    const wrongTogether: Substitute = (row) => ({
      ...row,
      semantics: (x) => {
        const wrong = last.get(x) === 'xor' && row.mnemonic === 'sltu';
        last.set(x, row.mnemonic);
        if (wrong) x.rd(x.rs1);
        else row.semantics(x);
      },
    });
    const text = message(
      lockStep(program(['xor t3, t1, t0', 'sltu t4, t0, t1', 'addi a0, a0, 1']), wrongTogether).run({
        instructions: 1e6,
      }),
    );
    expect(text).toContain('in a region that ends with the last of these:\n');
    expect(text).toMatch(/xor t3, t1, t0\n.*sltu t4, t0, t1\n/);
    expect(text).toMatch(/\n {2}t4 +0{15}1 {2}/);
  });
});
