/** Sources of random bytes: the caller's, or one that follows from a seed. */
import { record, u32 } from '../snapshot/codec';
import type { RandomSource, Stateful } from '../devices/device';

/** The machine's or cloud's own randomness, passed in by the caller, e.g. `crypto.getRandomValues`. */
export class CallerRandom implements RandomSource {
  constructor(private readonly source: (bytes: Uint8Array) => void) {}
  fill(bytes: Uint8Array): void {
    this.source(bytes);
  }
}

const layout = record('seeded-random', 1, { a: u32, b: u32, c: u32, d: u32 });

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/**
 * For deterministic guests: xoshiro128** (Blackman and Vigna, 2018) over 32-bit
 * words, so that it is the same on every machine. Predictable by design: a
 * guest whose keys matter needs `CallerRandom`.
 */
export class SeededRandom implements RandomSource, Stateful {
  readonly kind = layout.name;
  private readonly state = new Uint32Array(4);

  /** @param seed a whole number from 0 to 2^53 - 1 */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`seed ${seed}: use a whole number from 0 to 2^53 - 1`);
    }
    // splitmix32 spreads the seed's bits; its outputs are never all zero, the one state that xoshiro cannot leave.
    let counter = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b1);
    for (let index = 0; index < 4; index++) {
      counter = (counter + 0x9e3779b9) | 0;
      let word = counter ^ (counter >>> 16);
      word = Math.imul(word, 0x21f0aaad);
      word ^= word >>> 15;
      word = Math.imul(word, 0x735a2d97);
      this.state[index] = word ^ (word >>> 15);
    }
  }

  /** Whole words are drawn: a rest of fewer than four bytes is dropped, so the state is four words and no more. */
  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4) {
      const word = this.next();
      const end = Math.min(4, bytes.length - at);
      for (let index = 0; index < end; index++) bytes[at + index] = word >>> (8 * index);
    }
  }

  private next(): number {
    const state = this.state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(state[1], 5), 7), 9);
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 11);
    return result;
  }

  save(): Uint8Array {
    const [a, b, c, d] = this.state as unknown as [number, number, number, number];
    return layout.encode({ a, b, c, d });
  }
  restore(payload: Uint8Array): void {
    const { a, b, c, d } = layout.decode(payload);
    this.state.set([a, b, c, d]);
  }
}
