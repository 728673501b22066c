import fc from 'fast-check';
import {
  bool,
  bytes,
  bytesOf,
  count,
  list,
  listOf,
  nested,
  optional,
  record,
  text,
  u16,
  u32,
  u64,
  u8,
  type StateOf,
} from '../../engine/snapshot/codec';
import { StateError } from '../../engine/snapshot/errors';

const layout = record('example', 3, {
  small: u8,
  medium: u16,
  large: u32,
  huge: u64,
  counter: count,
  flag: bool,
  blob: bytes,
  digest: bytesOf(3),
  label: text,
  many: list(nested({ id: u16, data: bytes })),
  pair: listOf(2, u32),
  maybe: optional(u64),
  inner: nested({ on: bool, level: optional(u8) }),
});
type Example = StateOf<typeof layout>;

const blob = fc.uint8Array({ maxLength: 40 });
const example: fc.Arbitrary<Example> = fc.record({
  small: fc.nat(0xff),
  medium: fc.nat(0xffff),
  large: fc.integer({ min: 0, max: 0xffffffff }),
  huge: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  counter: fc.maxSafeNat(),
  flag: fc.boolean(),
  blob,
  digest: fc.uint8Array({ minLength: 3, maxLength: 3 }),
  label: fc.string({ unit: 'grapheme' }),
  many: fc.array(fc.record({ id: fc.nat(0xffff), data: blob }), { maxLength: 5 }),
  pair: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 2, maxLength: 2 }),
  maybe: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
  inner: fc.record({ on: fc.boolean(), level: fc.option(fc.nat(0xff), { nil: undefined }) }),
});

const errorOf = (action: () => unknown): Error => {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};

describe('codec', () => {
  test('a state survives the round trip', () => {
    fc.assert(fc.property(example, (state) => expect(layout.decode(layout.encode(state))).toEqual(state)));
  });

  test('a truncated or extended payload is refused', () => {
    fc.assert(
      fc.property(example, fc.nat(), blob, (state, cut, tail) => {
        const payload = layout.encode(state);
        expect(() => layout.decode(payload.subarray(0, cut % payload.length))).toThrow(StateError);
        fc.pre(tail.length > 0);
        expect(() => layout.decode(Uint8Array.from([...payload, ...tail]))).toThrow(StateError);
      }),
    );
  });

  test('whatever decodes is canonical: it encodes to the same bytes; all else is a StateError', () => {
    const mutation = fc.record({ at: fc.nat(), value: fc.nat(0xff) });
    fc.assert(
      fc.property(example, fc.array(mutation, { minLength: 1, maxLength: 4 }), (state, mutations) => {
        const payload = layout.encode(state);
        for (const { at, value } of mutations) payload[at % payload.length] = value;
        let decoded: Example;
        try {
          decoded = layout.decode(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(StateError);
          return;
        }
        expect(layout.encode(decoded)).toEqual(payload);
      }),
      { numRuns: 1000 },
    );
  });

  test('arbitrary bytes never crash the decoder', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (payload) => {
        expect(() => layout.decode(payload)).toThrow(StateError);
      }),
    );
  });

  test('the bytes are the documented ones', () => {
    const small = record('ab', 0x102, { a: u16, b: bool, c: list(u8), d: optional(u32), e: u64 });
    const payload = small.encode({ a: 0x3412, b: true, c: [7, 8], d: undefined, e: 0x0102030405060708n });
    expect([...payload]).toEqual([
      ...[2, 0x61, 0x62, 0x02, 0x01],
      ...[0x12, 0x34, 1, 2, 0, 0, 0, 7, 8, 0],
      ...[8, 7, 6, 5, 4, 3, 2, 1],
    ]);
  });

  test('errors name kind, field and what is wrong', () => {
    const one = record('one', 1, { list: list(nested({ on: bool })) });
    const payload = one.encode({ list: [{ on: true }, { on: true }] });
    payload[payload.length - 1] = 9;
    expect(errorOf(() => one.decode(payload)).message).toBe(
      'one@1 field list[1].on: 9 is neither 0 (false) nor 1 (true)',
    );
    expect(errorOf(() => record('two', 1, {}).decode(payload)).message).toMatch(/two@1: .*kind "one"/);
    expect(errorOf(() => record('one', 2, { list: list(u8) }).decode(payload)).message).toMatch(
      /version 1; .* reads 2/,
    );
  });

  test('a list cannot claim more elements than the payload has room for', () => {
    const one = record('one', 1, { numbers: list(u64) });
    const payload = one.encode({ numbers: [1n] });
    payload.fill(0xff, payload.length - 12, payload.length - 8);
    expect(errorOf(() => one.decode(payload)).message).toMatch(
      /numbers: a list of 4294967295 elements does not fit/,
    );
    expect(() => list(nested({}))).toThrow(TypeError);
  });

  test.each([
    ['u8 above its range', record('r', 1, { v: u8 }), { v: 256 }],
    ['negative u32', record('r', 1, { v: u32 }), { v: -1 }],
    ['a fraction', record('r', 1, { v: u16 }), { v: 1.5 }],
    ['a counter past 2^53', record('r', 1, { v: count }), { v: 2 ** 53 }],
  ])('encode refuses %s', (_name, one, state) => {
    expect(() => one.encode(state)).toThrow(StateError);
  });

  test('encode refuses a u64 out of range and an array of the wrong length', () => {
    expect(() => record('r', 1, { v: u64 }).encode({ v: 2n ** 64n })).toThrow(StateError);
    expect(() => record('r', 1, { v: listOf(2, u8) }).encode({ v: [1] })).toThrow(StateError);
    expect(() => record('r', 1, { v: bytesOf(2) }).encode({ v: new Uint8Array(3) })).toThrow(StateError);
  });

  test('a decoded state does not share memory with the payload', () => {
    const one = record('r', 1, { v: bytes });
    const payload = one.encode({ v: Uint8Array.of(1, 2) });
    const { v } = one.decode(payload);
    payload.fill(0);
    expect([...v]).toEqual([1, 2]);
  });
});

test('output of any length grows in any field', () => {
  const layout = record('long', 1, { pad: listOf(3, u8), numbers: list(u64) });
  const state = { pad: [1, 2, 3], numbers: Array.from({ length: 1000 }, (_, index) => BigInt(index)) };
  expect(layout.decode(layout.encode(state))).toEqual(state);
});
