/** Random programs for comparing engines, and harts to run them on. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { type EngineOptions, Hart } from '../../../engine/cpu/hart';
import type { TraceOptions } from '../../../engine/cpu/instruction-trace';
import { find } from '../../../engine/isa/disassembler';

const MEBIBYTE = 2 ** 20;
const RAM_BASE = 0x80000000n;
const HANDLER = 0x80010000n;
const DATA = 0x20000;

/** csrr t0, mepc; addi t0, t0, 4; csrw mepc, t0; mret: goes on behind whatever trapped. */
const skipHandler = [0x341022f3, 0x00428293, 0x34129073, 0x30200073];
/** lui x5, 6; csrs mstatus, x5: floating point is on. csrw mtvec, a0. */
const prologue = [0x000062b7, 0x3002a073, 0x30551073];

/** At the first arrival, so that hardly anything is interpreted. */
export const atOnce: EngineOptions = { kind: 'translator', threshold: 0 };

/** A hart with a program at `offset` of RAM, which it starts at. Register x10 to x31 point to data. */
export function hartWith(
  halves: readonly number[],
  offset = 0,
  engine?: EngineOptions,
  trace?: TraceOptions,
): Hart {
  const hart = new Hart({
    ramSize: MEBIBYTE,
    bus: { read: () => undefined, write: () => false },
    ...(engine && { engine }),
    ...(trace && { trace }),
  });
  const view = new DataView(hart.ram.buffer, hart.ram.byteOffset);
  skipHandler.forEach((word, i) => view.setUint32(Number(HANDLER - RAM_BASE) + 4 * i, word, true));
  halves.forEach((half, i) => view.setUint16(offset + 2 * i, half, true));
  hart.pc = RAM_BASE + BigInt(offset);
  hart.setX(10, HANDLER);
  hart.setX(1, hart.pc); // so that a return leads somewhere
  for (let i = 5; i < 10; i++) hart.setX(i, BigInt(3 * i));
  for (let i = 11; i < 32; i++) hart.setX(i, RAM_BASE + BigInt(DATA + 0x100 * i));
  return hart;
}

export const fingerprint = (hart: Hart): string =>
  createHash('sha256').update(hart.saveState()).update(hart.ram).digest('hex');

const halvesOf = (words: readonly number[]): number[] =>
  words.flatMap((word) => [word & 0xffff, word >>> 16]);

/** Words that decode, mostly: uniform ones are illegal too often to get anywhere. */
export const anyWords = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.nat(0xffffffff).filter((word) => find(word) !== undefined) },
      { weight: 1, arbitrary: fc.nat(0xffffffff) },
    ),
    { minLength: 64, maxLength: 400 },
  )
  .map((words) => halvesOf([...prologue, ...words]));

// --- Programs that branch: blocks of a few instructions, each of which goes to any of them.

type Piece = (places: readonly number[], here: number) => number[];
/** x7 counts blocks, x9 is for branches and addresses. */
const register = fc.constantFrom(5, 6, 8);
const base = fc.integer({ min: 11, max: 31 });
const word = (value: number): number[] => [value & 0xffff, value >>> 16];
const fixed =
  (value: number): Piece =>
  () =>
    word(value);

const arithmetic = fc
  .record({ rd: register, rs1: register, rs2: register, kind: fc.nat(5) })
  .map(({ rd, rs1, rs2, kind }) => {
    const [funct7, funct3] = [
      [0, 0],
      [0x20, 0],
      [0, 4],
      [1, 0],
      [1, 4],
      [0, 3],
    ][kind] as [number, number];
    return fixed(((funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | 0x33) >>> 0);
  });
const increment = fc
  .record({ rd: register, by: fc.nat(7) })
  .map(({ rd, by }) => fixed(((by << 20) | (rd << 15) | (rd << 7) | 0x13) >>> 0));
/** addi x7, x7, 1 */
const countBlock = fixed(0x00138393);
/** c.nop: what follows it may lie across two pages. */
const halfword = fc.constant<Piece>(() => [0x0001]);
const loadOrStore = fc
  .record({ rd: register, base, store: fc.boolean(), width: fc.nat(3), offset: fc.nat(31) })
  .map(({ rd, base: rs1, store, width, offset }) =>
    fixed(
      (store
        ? (rd << 20) | (rs1 << 15) | (width << 12) | (offset << 7) | 0x23
        : (offset << 20) | (rs1 << 15) | (width << 12) | (rd << 7) | 0x03) >>> 0,
    ),
  );
/** From an address that nothing is at: a fault, which the handler skips. */
const fault = register.map((rd) => fixed(((rd << 7) | 0x3003) >>> 0));
const float = fc
  .record({
    rd: fc.nat(3),
    rs1: fc.nat(3),
    rs2: fc.nat(3),
    operation: fc.constantFrom(0, 4, 8, 12),
    double: fc.nat(1),
  })
  .map(({ rd, rs1, rs2, operation, double }) =>
    fixed((((operation | double) << 25) | (rs2 << 20) | (rs1 << 15) | (7 << 12) | (rd << 7) | 0x53) >>> 0),
  );
/** fcvt.d.w, with what a register holds. */
const toFloat = fc
  .record({ rd: fc.nat(3), rs1: register })
  .map(({ rd, rs1 }) => fixed((0xd2000053 | (rs1 << 15) | (rd << 7)) >>> 0));
/** csrr of instret, which has to be exact. */
const counted = register.map((rd) => fixed((0xb0202073 | (rd << 7)) >>> 0));

const distance = (from: number, to: number): number => to - from;
const branchTo = (funct3: number, rs1: number, rs2: number, by: number): number =>
  (((by >> 12) & 1) << 31) |
  (((by >> 5) & 0x3f) << 25) |
  (rs2 << 20) |
  (rs1 << 15) |
  (funct3 << 12) |
  (((by >> 1) & 0xf) << 8) |
  (((by >> 11) & 1) << 7) |
  0x63;
const jumpTo = (rd: number, by: number): number =>
  (((by >> 20) & 1) << 31) |
  (((by >> 1) & 0x3ff) << 21) |
  (((by >> 11) & 1) << 20) |
  (((by >> 12) & 0xff) << 12) |
  (rd << 7) |
  0x6f;

/** andi x9, x7, bit; then a branch on it, or on two other registers: hardly anything loops for ever. */
const branch = fc
  .record({
    bit: fc.nat(4),
    rs1: register,
    rs2: register,
    kind: fc.constantFrom(0, 1, 4, 7),
    to: fc.nat(1000),
  })
  .map(({ bit, rs1, rs2, kind, to }): Piece => {
    const byCount = kind < 2;
    return (places, here) => [
      ...word((((1 << bit) << 20) | 0x3f493) >>> 0),
      ...word(
        branchTo(
          kind,
          byCount ? 9 : rs1,
          byCount ? 0 : rs2,
          distance(here + 4, places[to % places.length]!),
        ) >>> 0,
      ),
    ];
  });
const jump = fc.record({ rd: fc.constantFrom(0, 1), to: fc.nat(1000) }).map(
  ({ rd, to }): Piece =>
    (places, here) =>
      word(jumpTo(rd, distance(here, places[to % places.length]!)) >>> 0),
);
/** auipc x9; addi x9, x9; jr x9: a jump that goes by a register. */
const indirect = fc
  .nat(1000)
  .map((to): Piece => (places, here) => [
    ...word(0x00000497),
    ...word((((distance(here, places[to % places.length]!) & 0xfff) << 20) | 0x48493) >>> 0),
    ...word(0x00048067),
  ]);
const comeBack = fc.constant(fixed(0x00008067));
/** Writes `addi x5, x5, by` over the first instruction of a block, without any fence. */
const modify = fc.record({ to: fc.nat(1000), by: fc.nat(15) }).map(({ to, by }): Piece => (places, here) => [
  ...word(0x00000497), // auipc x9
  ...word((((distance(here, places[to % places.length]!) & 0xfff) << 20) | 0x48493) >>> 0), // addi x9, x9
  ...word((((by << 8) | 0x28) << 12) | (6 << 7) | 0x37), // lui x6: the upper half of the instruction
  ...word((0x29300000 | (6 << 15) | (6 << 7) | 0x13) >>> 0), // addi x6, x6: the lower half
  ...word(0x0064a023), // sw x6, 0(x9)
]);

const straight = fc.oneof(
  { weight: 6, arbitrary: arithmetic },
  { weight: 4, arbitrary: increment },
  { weight: 4, arbitrary: loadOrStore },
  { weight: 2, arbitrary: halfword },
  { weight: 2, arbitrary: float },
  { weight: 1, arbitrary: toFloat },
  { weight: 1, arbitrary: fault },
  { weight: 1, arbitrary: counted },
);
const block = (mayModify: boolean) =>
  fc.tuple(
    fc.array(straight, { maxLength: 6 }),
    fc.oneof(
      { weight: 8, arbitrary: branch },
      { weight: 1, arbitrary: jump },
      { weight: 1, arbitrary: indirect },
      { weight: 1, arbitrary: comeBack },
      { weight: mayModify ? 3 : 0, arbitrary: modify },
    ),
  );

/**
 * Programs of random shape: loops within loops, loops with several entries,
 * jumps into the middle of anything. They lie across a page boundary.
 */
export const branchingPrograms = (mayModify: boolean): fc.Arbitrary<{ halves: number[]; offset: number }> =>
  fc
    .record({
      blocks: fc.array(block(mayModify), { minLength: 4, maxLength: 24 }),
      before: fc.integer({ min: 0, max: 150 }),
    })
    .map(({ blocks, before }) => {
      const offset = 0x3000 - 2 * before;
      const pieces = blocks.map(([straightPieces, last]) => [countBlock, ...straightPieces, last]);
      // Where things lie does not depend on where they go: once for the places, once for the code.
      const lay = (places: readonly number[]): { code: number[]; starts: number[] } => {
        const code = halvesOf(prologue);
        const starts: number[] = [];
        for (const list of pieces) {
          starts.push(2 * code.length);
          for (const piece of list) code.push(...piece(places, 2 * code.length));
        }
        // Behind the last block comes the first.
        return { code: [...code, ...word(jumpTo(0, distance(2 * code.length, starts[0]!)) >>> 0)], starts };
      };
      const { starts } = lay(blocks.map(() => 0));
      return { halves: lay(starts).code, offset };
    });
