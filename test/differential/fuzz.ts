/**
 * Guests without sense: memory full of instructions, half-instructions, page-table entries and pointers, registers that
 * point into it, devices that answer at random. Everything follows from the seed.
 */
import { csrRows } from '../../engine/cpu/csr';
import { Hart } from '../../engine/cpu/hart';
import * as at from '../../engine/cpu/layout';
import { selectable } from '../../engine/isa/extensions';
import { allInstructions } from '../../engine/isa/table';
import { Random } from './random';
import { integerValue } from './values';

const RAM_BASE = 0x8000_0000;
const RAM_SIZE = 1 << 20;
const PAGE = 4096;
const CSR_OPCODE = 0x73;
const MRET = 0x3020_0073;
const csrs = csrRows(selectable).map(({ number }) => number);

/** An address in RAM, of a device, or of neither. */
function address(random: Random): bigint {
  const choice = random.below(10);
  if (choice < 7) return BigInt(RAM_BASE + random.below(RAM_SIZE));
  if (choice < 8) return BigInt(random.word());
  return integerValue(random);
}

/** A row of the table with anything for operands. */
function shaped(random: Random): number {
  const { encoding } = random.pick(allInstructions);
  const word = (encoding.match | (random.word() & ~encoding.mask)) >>> 0;
  // Two short ones, or a long one.
  return encoding.length === 4 ? word : ((random.word() << 16) | (word & 0xffff)) >>> 0;
}

function csrAccess(random: Random): number {
  const operation = random.pick([1, 2, 3, 5, 6, 7]);
  const number = random.chance(0.9) ? random.pick(csrs) : random.below(4096);
  const [source, target] = [random.below(32), random.below(32)];
  return ((number << 20) | (source << 15) | (operation << 12) | (target << 7) | CSR_OPCODE) >>> 0;
}

function fill(view: DataView, random: Random): void {
  for (let offset = 0; offset < RAM_SIZE; offset += 8) {
    const choice = random.below(16);
    if (choice === 0) view.setBigUint64(offset, address(random), true);
    else if (choice === 1) {
      // A page-table entry for a page of RAM.
      const frame = BigInt((RAM_BASE + random.below(RAM_SIZE)) >>> 12);
      view.setBigUint64(offset, (frame << 10n) | BigInt(random.below(1024) | 1), true);
    } else {
      for (const half of [offset, offset + 4]) {
        const kind = random.below(20);
        const word =
          kind < 14 ? shaped(random) : kind < 16 ? csrAccess(random) : kind < 17 ? MRET : random.word();
        view.setUint32(half, word, true);
      }
    }
  }
}

/** What lies around a guest's RAM and state in the linear memory and is no part of either. */
const surroundings: readonly (readonly [from: number, to: number])[] = [
  [0, at.X],
  [at.CSR_INDEX, at.TLB],
  // Between these, the hart counts what is hot and notes it for the translator.
  [at.FILLED_END, at.JUMP_CACHE],
  [at.CODE_PAGES, at.CANDIDATES],
  [at.CANDIDATES + at.CANDIDATES_MOST * at.CANDIDATE_SIZE, at.JUMPS],
  [at.JUMPS + at.JUMPS_MASK + 8, at.PAGE_FLAGS],
  [at.PAGE_FLAGS + RAM_SIZE / PAGE, at.RAM],
];

/**
 * Runs one of them in pieces. Returns how many instructions it executed.
 *
 * @throws Error when a run exceeds its budget, touches what is not the guest's, or changes a page without a mark
 */
export function fuzz(seed: number): number {
  const random = new Random(seed);
  const hart: Hart = new Hart({
    ramSize: RAM_SIZE,
    bus: {
      read: (where) => answer(where, random.chance(0.2) ? undefined : random.word()),
      write: (where) => answer(where, random.chance(0.8)),
    },
  });
  function answer<Value>(where: number, value: Value): Value {
    if (where >= RAM_BASE && where < RAM_BASE + RAM_SIZE) throw new Error(`RAM at ${where} asked of the bus`);
    if (random.chance(0.02)) hart.setLine(random.pick([3, 7, 9, 11]), random.chance(0.5));
    if (random.chance(0.01)) hart.requestExit();
    return value;
  }
  fill(new DataView(hart.ram.buffer, hart.ram.byteOffset, RAM_SIZE), random);
  for (let register = 1; register < 32; register++) hart.setX(register, address(random));
  hart.pc = BigInt(RAM_BASE);
  hart.pageFlags.fill(0);

  const memory = Buffer.from(hart.memory.buffer);
  const around = surroundings.map(([from, to]) => Buffer.from(memory.subarray(from, to)));
  const before = Buffer.from(hart.ram);
  const began = hart.steps;
  for (let piece = 0; piece < 12; piece++) {
    const budget = 1 + random.below(random.pick([3, 300, 20_000]));
    const start = hart.steps;
    const reason = hart.run(budget);
    const executed = hart.steps - start;
    if (executed > BigInt(budget) || (reason === 'budget' && executed !== BigInt(budget)))
      throw new Error(`${executed} instructions of ${budget}, ended by ${reason}`);
    if (hart.x(0) !== 0n) throw new Error('x0 was written');
    if (reason === 'idle') break;
  }
  surroundings.forEach(([from, to], index) => {
    if (!memory.subarray(from, to).equals(around[index]!))
      throw new Error(`written outside of the guest, between ${from.toString(16)} and ${to.toString(16)}`);
  });
  for (let page = 0; page < RAM_SIZE / PAGE; page++) {
    const [from, to] = [page * PAGE, (page + 1) * PAGE];
    const changed = !before.subarray(from, to).equals(hart.ram.subarray(from, to));
    if (changed && (hart.pageFlags[page]! & at.PAGE_DIRTY) === 0)
      throw new Error(`page ${page} changed without a mark`);
  }
  return Number(hart.steps - began);
}
