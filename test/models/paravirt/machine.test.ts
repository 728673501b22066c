/** What cannot become a paravirtual machine, and hostile code in S-mode. */
import fc from 'fast-check';
import { type GuestFiles, ImageError, type ParavirtDefinition } from '../../../engine/models/guest';
import { ParavirtMachine } from '../../../engine/models/paravirt/machine';
import type { Harts } from '../../../engine/cpu/harts';
import * as at from '../../../engine/cpu/layout';
import { assemble } from '../../../engine/isa/assembler';
import { syntheticKernel } from './synthetic-kernel';

const host = {
  now: () => {
    throw new Error('asked for the time');
  },
  fillRandom: () => {
    throw new Error('asked for randomness');
  },
};
const definition: ParavirtDefinition = {
  version: 1,
  model: 'paravirt',
  memory: 16 * 2 ** 20,
  clock: 'deterministic',
  port: false,
};
const create = (files: GuestFiles, more: Partial<ParavirtDefinition> = {}): ParavirtMachine =>
  new ParavirtMachine({ ...definition, ...more }, files, host);

/** A kernel whose first instructions, in the place of its header's code, jump behind the header to these words. */
function kernelOf(words: readonly number[]): Uint8Array {
  const kernel = syntheticKernel({ offsets: 'none' }).image;
  const view = new DataView(kernel.buffer);
  view.setUint32(0, assemble('jal zero, 256').word, true);
  words.forEach((word, index) => view.setUint32(256 + 4 * index, word, true));
  return kernel;
}
const code = (lines: readonly string[]): Uint8Array => kernelOf(lines.map((line) => assemble(line).word));

test.each<[string, GuestFiles, Partial<ParavirtDefinition>, RegExp]>([
  ['no kernel', {}, {}, /starts at its kernel: give one/],
  ['no Linux', { kernel: new Uint8Array(4096) }, {}, /no RISC-V Linux kernel/],
  [
    'a kernel without symbols, to be ported',
    { kernel: code([]) },
    { port: true },
    /kallsyms.*or start it unported/,
  ],
  ['too little memory', { kernel: code([]) }, { memory: 4 * 2 ** 20 }, /too little/],
  [
    'too many disks',
    { kernel: code([]), disks: new Array<Uint8Array>(30).fill(new Uint8Array(512)) },
    {},
    /30 disks.*takes 29/,
  ],
])('%s', (_, files, more, message) => {
  expect(() => create(files, more)).toThrow(ImageError);
  expect(() => create(files, more)).toThrow(message);
});

const HSM = 0x48534d;
const IPI = 0x735049;
const S1 = at.X + 8 * 9;
const S2 = at.X + 8 * 18;

const li = (register: string, value: number): string[] => {
  const low = (value << 20) >> 20;
  return [`lui ${register}, ${(value - low) | 0}`, `addi ${register}, ${register}, ${low}`];
};
const sbi = (extension: number, functionId: number): string[] => [
  ...li('a7', extension),
  `addi a6, zero, ${functionId}`,
  'ecall',
];

test('enters in S-mode, and may not read a register of M-mode', () => {
  // With stvec at the ecall that shuts down, the illegal csrr gets there by the kernel's own handler.
  const guest = create({
    kernel: code([
      'auipc t0, 0',
      'addi t0, t0, 20',
      'csrrw zero, 0x105, t0',
      'csrrs a0, 0x300, zero',
      'jal zero, 0',
      ...['addi a0, zero, 0', 'addi a1, zero, 0', ...sbi(0x53525354, 0)],
    ]),
  });
  expect(guest.run({ instructions: 100 })).toEqual({ reason: 'halted', how: 'power-off', code: 0 });
  expect(guest.exits).toMatchObject({ 'illegal-instruction': 1, 'ecall-supervisor': 1 });
});

test('the SBI timer wakes a hart that waits', () => {
  const guest = create({
    kernel: code([
      ...[...li('a0', 50_000), ...sbi(0x54494d45, 0)],
      ...['addi t0, zero, 32', 'csrrs zero, 0x104, t0', 'wfi'],
      ...['addi a0, zero, 1', 'addi a1, zero, 0', ...sbi(0x53525354, 0)],
    ]),
  });
  const exit = guest.run({ instructions: 1000 });
  expect(exit).toMatchObject({ reason: 'idle' });
  const { wakeAfter } = exit as { wakeAfter: bigint };
  expect(wakeAfter).toBeGreaterThan(4_900_000n);
  expect(wakeAfter).toBeLessThanOrEqual(5_000_000n);
  guest.skipIdle(wakeAfter);
  expect(guest.run({ instructions: 1000 })).toEqual({ reason: 'halted', how: 'reset', code: 0 });
});

/** Arguments of hart_start, as near as one instruction gets to them. */
const startOther = [
  'lui a7, 4739072',
  'addi a7, a7, 845',
  'addi a6, zero, 0',
  'addi a0, zero, 1',
  'auipc a1, 0',
];

test('a hart starts another where it says, interrupts it, looks at it, and stays when that one stops', () => {
  // The second hart writes its argument to where that points, waits for the interrupt, and stops.
  const second = ['sd a1, 0(a1)', 'addi s1, a1, 0', 'wfi', ...sbi(HSM, 1)];
  const first = [
    ...['addi a0, zero, 1', 'addi a1, t0, 512', 'auipc a2, 4096', ...sbi(HSM, 0), 'addi s1, a0, 0'],
    ...['addi a0, zero, 1', ...sbi(HSM, 0), 'addi s2, a0, 0'], // it runs already
    ...['addi a0, zero, 2', 'addi a1, zero, 0', ...sbi(IPI, 0)],
    'wfi', // for ever: until then the other one runs
  ];
  const start = ['auipc t0, 0', ...first];
  const words = [...start, ...new Array<string>(128 - start.length).fill('jal zero, 0'), 'addi t0, zero, 2'];
  const guest = create({ kernel: code([...words, 'csrrs zero, 0x104, t0', ...second]) }, { harts: 2 });
  expect(guest.run({ instructions: 10_000 })).toEqual({ reason: 'idle', wakeAfter: undefined });
  const { harts } = guest as unknown as { harts: Harts };
  expect(harts.isStopped(1)).toBe(true);
  expect([harts.cell(0, S1), harts.cell(0, S2)]).toEqual([0n, BigInt.asUintN(64, -6n)]);
  const argument = harts.cell(1, S1);
  expect(
    new DataView(harts.hart.memory.buffer).getBigUint64(at.RAM + Number(argument) - 0x8000_0000, true),
  ).toBe(argument);
  expect(guest.exits).toMatchObject({ 'ecall-supervisor': 4 });
});

test('a machine has 1 to 8 harts', () => {
  for (const harts of [0, 9, 1.5])
    expect(() => create({ kernel: code([]) }, { harts })).toThrow(/from 1 to 8/);
});

test('no code in S-mode makes the monitor throw or outrun its budget, and saved state goes on alike', () => {
  const word = fc.oneof(
    { weight: 1, arbitrary: fc.constant(0x00000073) }, // ecall
    { weight: 4, arbitrary: fc.nat(0xffffffff) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(
          'addi a7, zero, 16',
          'addi a6, zero, 3',
          'addi a0, a0, 1',
          'slli a1, a0, 31',
          ...startOther,
        )
        .map((line) => assemble(line).word),
    },
  );
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 20, maxLength: 200 }),
      fc.integer({ min: 1, max: 3 }),
      (words, harts) => {
        const kernel = kernelOf(words);
        const guest = create({ kernel }, { harts });
        guest.run({ instructions: 5_000 });
        expect(guest.instructions).toBeLessThanOrEqual(5_000);
        const saved = guest.save();
        const other = create({ kernel }, { harts });
        other.restore(saved);
        expect(Buffer.from(other.save()).equals(Buffer.from(saved))).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});
