/** The hypercall instructions against loops over bytes: every overlap, page crossing, fault, and cut. */
import fc from 'fast-check';
import { assemble } from '../../../engine/isa/assembler';
import { Hart } from '../../../engine/cpu/hart';
import { BulkHart, DATA, PAGE, PAGES, type Protection } from './bulk-hart';

const SIZE = PAGES * PAGE;
const CAUSE = { illegal: 2, loadPage: 13, storePage: 15 };
const ECALL = 9;
const [A0, A1, A2, A3] = [10, 11, 12, 13] as const;

const content = Uint8Array.from({ length: SIZE }, (_, index) => (index * 7 + (index >> 8) * 13) & 0xff);

/** Near page borders more often than not. */
const place = fc.oneof(
  fc.nat(SIZE - 1),
  fc
    .tuple(fc.nat(PAGES - 1), fc.integer({ min: -9, max: 9 }))
    .map(([page, off]) => Math.max(0, page * PAGE + off)),
);
const length = fc.oneof(fc.nat(64), fc.nat(3 * PAGE), fc.constantFrom(0, PAGE, 2 * PAGE));
const protections = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Protection>('writable') },
    { weight: 1, arbitrary: fc.constantFrom<Protection>('read-only', 'unmapped') },
  ),
  { minLength: PAGES, maxLength: PAGES },
);
const cuts = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 });

interface Outcome {
  readonly cause: number;
  /** Page of the address that faulted. */
  readonly page: number | undefined;
  readonly done: number;
  readonly data: Uint8Array;
}

/** What a loop of `lb` and `sb` (or `sb` alone, without a source) does, ascending or descending. */
function loop(
  rights: readonly Protection[],
  to: number,
  from: number | Uint8Array,
  bytes: number,
  descending: boolean,
): Outcome {
  const data = content.slice();
  const right = (address: number): Protection => rights[Math.floor(address / PAGE)] ?? 'unmapped';
  for (let done = 0; done < bytes; done++) {
    const index = descending ? bytes - 1 - done : done;
    const source = typeof from === 'number' ? from + index : undefined;
    const target = to + index;
    const fault = (cause: number, address: number): Outcome => ({
      cause,
      page: Math.floor(address / PAGE),
      done,
      data,
    });
    if (source !== undefined && right(source) === 'unmapped') return fault(CAUSE.loadPage, source);
    if (right(target) !== 'writable') return fault(CAUSE.storePage, target);
    data[target] = source === undefined ? (from as Uint8Array)[0]! : data[source]!;
  }
  return { cause: ECALL, page: undefined, done: bytes, data };
}

/** Runs to a trap, a few instructions at a time where there are cuts. */
function run(it: BulkHart, at: readonly number[] = []): void {
  for (const cut of at) if (it.hart.run(cut) === 'trap') return;
  expect(it.hart.run(1000)).toBe('trap');
}

function start(
  line: string,
  rights: readonly Protection[],
  to: number,
  second: bigint,
  bytes: number,
): BulkHart {
  const it = new BulkHart(rights);
  it.data = content;
  it.load([line, 'ecall']);
  it.hart.setX(A0, DATA + BigInt(to));
  it.hart.setX(A1, second);
  it.hart.setX(A2, BigInt(bytes));
  it.cleanPages();
  return it;
}

function expectOutcome(it: BulkHart, expected: Outcome, bytes: number): void {
  const { cause, value } = it.hart.trap;
  expect(cause).toBe(expected.cause);
  expect(it.hart.x(A2)).toBe(BigInt(bytes - expected.done));
  if (expected.page !== undefined) {
    expect(Number(value - DATA) >> 12).toBe(expected.page);
    expect(it.hart.pc).toBe(it.entry);
  }
  expect(Buffer.from(it.data).equals(Buffer.from(expected.data))).toBe(true);
  // A page that differs is dirty, and so is each that was written with what it held before.
  for (let page = 0; page < PAGES; page++) {
    const range = [page * PAGE, (page + 1) * PAGE] as const;
    if (!Buffer.from(expected.data.subarray(...range)).equals(Buffer.from(content.subarray(...range)))) {
      expect(it.dirty.has(page)).toBe(true);
    }
  }
}

test('hv.move is a loop in the direction that overlaps allow, whatever faults or is cut', () => {
  fc.assert(
    fc.property(protections, place, place, length, cuts, (rights, to, from, bytes, at) => {
      const it = start('hv.move a0, a1, a2', rights, to, DATA + BigInt(from), bytes);
      run(it, at);
      const descending = to > from && to < from + bytes;
      const expected = loop(rights, to, from, bytes, descending);
      if (!descending || expected.cause === ECALL) {
        expectOutcome(it, expected, bytes);
        if (!descending) expect(it.hart.x(A0)).toBe(DATA + BigInt(to + expected.done));
        return;
      }
      // What is left when the end is done may not overlap any more and goes up then: which page faults first is free.
      const page = Number(it.hart.trap.value - DATA) >> 12;
      const right = rights[page] ?? 'unmapped';
      expect(it.hart.trap.cause).toBe(right === 'read-only' ? CAUSE.storePage : it.hart.trap.cause);
      expect(right).not.toBe('writable');
      expect([CAUSE.loadPage, CAUSE.storePage]).toContain(it.hart.trap.cause);
      expect(it.hart.pc).toBe(it.entry);
    }),
    { numRuns: 400 },
  );
});

test('hv.copy is an ascending loop', () => {
  fc.assert(
    fc.property(protections, place, place, length, cuts, (rights, to, from, bytes, at) => {
      fc.pre(!(to > from && to < from + bytes));
      const it = start('hv.copy a0, a1, a2', rights, to, DATA + BigInt(from), bytes);
      run(it, at);
      const expected = loop(rights, to, from, bytes, false);
      expectOutcome(it, expected, bytes);
      expect(it.hart.x(A0)).toBe(DATA + BigInt(to + expected.done));
      expect(it.hart.x(A1)).toBe(DATA + BigInt(from + expected.done));
    }),
    { numRuns: 400 },
  );
});

test('hv.fill stores the low byte', () => {
  fc.assert(
    fc.property(
      protections,
      place,
      length,
      fc.bigInt(0n, (1n << 64n) - 1n),
      cuts,
      (rights, to, bytes, value, at) => {
        const it = start('hv.fill a0, a1, a2', rights, to, value, bytes);
        run(it, at);
        const expected = loop(rights, to, Uint8Array.of(Number(value & 0xffn)), bytes, false);
        expectOutcome(it, expected, bytes);
        expect(it.hart.x(A1)).toBe(value);
      },
    ),
    { numRuns: 300 },
  );
});

test('after a fault is resolved, the instruction goes on where it was', () => {
  fc.assert(
    fc.property(protections, place, place, length, (rights, to, from, bytes) => {
      fc.pre(to + bytes <= SIZE && from + bytes <= SIZE);
      const it = start('hv.move a0, a1, a2', rights, to, DATA + BigInt(from), bytes);
      run(it);
      for (let faults = 0; it.hart.trap.cause !== ECALL; faults++) {
        expect(faults).toBeLessThan(2 * PAGES);
        it.protect(Number(it.hart.trap.value - DATA) >> 12, 'writable');
        run(it);
      }
      const expected = content.slice();
      expected.copyWithin(to, from, from + bytes);
      expect(Buffer.from(it.data).equals(Buffer.from(expected))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('a step is one instruction to budgets, and moves a page at most', () => {
  const it = start('hv.fill a0, a1, a2', [], 100, 1n, 3 * PAGE);
  const left = [];
  for (let step = 0; step < 5; step++) {
    left.push(Number(it.hart.x(A2)));
    expect(it.hart.run(1)).toBe(step < 4 ? 'budget' : 'trap');
  }
  expect(left).toEqual([3 * PAGE, 2 * PAGE + 100, PAGE + 100, 100, 0]);
  expect(it.hart.steps).toBe(5n);
});

test('code that was copied is what runs, also over code that ran before', () => {
  const it = new BulkHart();
  const words = ['addi a3, a3, 1', 'addi a3, a3, 16', 'jalr zero, 0(ra)'].map((line) => assemble(line).word);
  const data = new Uint8Array(SIZE);
  const view = new DataView(data.buffer);
  view.setUint32(0, words[0]!, true); // runs at first
  view.setUint32(4, words[2]!, true);
  view.setUint32(PAGE, words[1]!, true); // copied over it
  it.data = data;
  it.load(['jalr ra, 0(s0)', 'hv.copy a0, a1, a2', 'jalr ra, 0(s0)', 'ecall']);
  it.hart.setX(8, DATA);
  it.hart.setX(A0, DATA);
  it.hart.setX(A1, DATA + BigInt(PAGE));
  it.hart.setX(A2, 4n);
  run(it);
  expect([it.hart.trap.cause, it.hart.x(A3)]).toEqual([ECALL, 17n]);
});

test('x0 as a register stays zero, and registers that are one harm nothing', () => {
  const registers = fc.constantFrom('zero', 'a0', 'a1', 'a2');
  fc.assert(
    fc.property(
      fc.constantFrom('hv.copy', 'hv.move', 'hv.fill'),
      registers,
      registers,
      registers,
      place,
      place,
      length,
      (mnemonic, rd, rs1, rs2, to, from, bytes) => {
        const it = start(`${mnemonic} ${rd}, ${rs1}, ${rs2}`, [], to, DATA + BigInt(from), bytes);
        it.hart.run(200);
        expect(it.hart.x(0)).toBe(0n);
        expect(it.hart.steps).toBeLessThanOrEqual(200n);
      },
    ),
    { numRuns: 200 },
  );
});

const words = (bytes: Uint8Array, from: number, count: number): bigint =>
  Array.from({ length: count }, (_, index) =>
    new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(from + 8 * index, true),
  ).reduceRight((number, word) => (number << 64n) | word, 0n);

test('hv.multiply gives the product, or the fault before anything is written', () => {
  fc.assert(
    fc.property(
      protections,
      place,
      place,
      place,
      fc.integer({ min: 1, max: 32 }),
      fc.uint8Array({ minLength: SIZE, maxLength: SIZE }),
      (rights, to, left, right, count, data) => {
        fc.pre(Math.max(left, right) + 8 * count <= SIZE && to + 16 * count <= SIZE);
        const it = start('hv.multiply a0, a1, a2, a3', rights, to, DATA + BigInt(left), 0);
        it.data = data;
        it.hart.setX(A2, DATA + BigInt(right));
        it.hart.setX(A3, BigInt(count));
        run(it);
        const touched = (from: number, bytes: number): Protection[] =>
          [from, from + bytes - 1].map((address) => rights[Math.floor(address / PAGE)]!);
        const readable = [...touched(left, 8 * count), ...touched(right, 8 * count)].every(
          (r) => r !== 'unmapped',
        );
        const writable = touched(to, 16 * count).every((r) => r === 'writable');
        if (!readable || !writable) {
          expect(it.hart.trap.cause).toBe(readable ? CAUSE.storePage : CAUSE.loadPage);
          expect(Buffer.from(it.data).equals(Buffer.from(data))).toBe(true);
        } else {
          expect(it.hart.trap.cause).toBe(ECALL);
          expect(words(it.data, to, 2 * count)).toBe(words(data, left, count) * words(data, right, count));
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('hv.reduce gives the remainder, or the fault before anything is written', () => {
  // Moduli of few words, and words of all ones: where estimates of the quotient go wrong.
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 256, maxLength: 256 }),
    fc.constantFrom(0xff, 0, 0x80, 1).map((byte) => new Uint8Array(256).fill(byte)),
  );
  fc.assert(
    fc.property(
      protections,
      place,
      place,
      place,
      fc.integer({ min: 1, max: 32 }),
      fc.nat(256),
      bytes,
      bytes,
      bytes,
      (rights, to, number, modulus, count, significant, low, high, third) => {
        fc.pre(Math.max(to, modulus) + 8 * count <= SIZE && number + 16 * count <= SIZE);
        const it = start('hv.reduce a0, a1, a2, a3', rights, to, DATA + BigInt(number), 0);
        const data = content.slice();
        data.set(low.subarray(0, 8 * count), number);
        data.set(high.subarray(0, 8 * count), number + 8 * count);
        data.set(third.subarray(0, 8 * count), modulus);
        data.fill(0, Math.min(modulus + significant, modulus + 8 * count), modulus + 8 * count);
        it.data = data;
        it.hart.setX(A2, DATA + BigInt(modulus));
        it.hart.setX(A3, BigInt(count));
        run(it);
        const touched = (from: number, length: number): Protection[] =>
          [from, from + length - 1].map((address) => rights[Math.floor(address / PAGE)]!);
        const readable = [...touched(number, 16 * count), ...touched(modulus, 8 * count)].every(
          (r) => r !== 'unmapped',
        );
        const writable = touched(to, 8 * count).every((r) => r === 'writable');
        const divisor = words(data, modulus, count);
        const { cause } = it.hart.trap;
        if (readable && writable && divisor !== 0n) {
          expect(cause).toBe(ECALL);
          expect(words(it.data, to, count)).toBe(words(data, number, 2 * count) % divisor);
          return;
        }
        expect(cause).toBe(!readable ? CAUSE.loadPage : divisor === 0n ? CAUSE.illegal : CAUSE.storePage);
        expect(Buffer.from(it.data).equals(Buffer.from(data))).toBe(true);
      },
    ),
    { numRuns: 800 },
  );
});

test.each([
  ['hv.multiply', 0n],
  ['hv.multiply', 33n],
  ['hv.reduce', 0n],
  ['hv.reduce', (1n << 64n) - 1n],
])('%s of %s words is no instruction', (mnemonic, count) => {
  const it = start(`${mnemonic} a0, a1, a2, a3`, [], 0, DATA, 0);
  it.hart.setX(A3, count);
  run(it);
  expect(it.hart.trap.cause).toBe(CAUSE.illegal);
});

test('other harts do not know these instructions', () => {
  const hart = new Hart({
    ramSize: 2 ** 20,
    bus: { read: () => undefined, write: () => false },
    monitor: true,
  });
  new DataView(hart.ram.buffer, hart.ram.byteOffset).setUint32(0, 0x00c58f8b, true);
  hart.pc = 0x8000_0000n;
  expect(hart.run(1)).toBe('trap');
  expect(hart.trap.cause).toBe(CAUSE.illegal);
});
