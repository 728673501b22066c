import type { Random } from './random';

/** Integers where arithmetic changes its mind: signs, carries, word boundaries, alternating bits. */
export const integerCorners: readonly bigint[] = [
  0n, 1n, 2n, 3n, 7n, 8n, 31n, 32n, 63n, 64n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn,
  0x7fffffffn, 0x80000000n, 0x80000001n, 0xffffffffn, 0x100000000n, 0x7fffffff80000000n,
  0x7fffffffffffffffn, 0x8000000000000000n, 0x8000000000000001n, 0xffffffff00000000n, 0xffffffff7fffffffn,
  0xffffffff80000000n, 0xfffffffffffffffen, 0xffffffffffffffffn, 0x5555555555555555n, 0xaaaaaaaaaaaaaaaan,
  0x0123456789abcdefn, 0xfedcba9876543210n, 0x00ff00ff00ff00ffn,
]; // prettier-ignore

/** binary32 patterns: zeros, subnormals, the normal range's ends, infinities, quiet and signalling NaNs, integer limits. */
export const singleCorners: readonly number[] = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x00800001, 0x7f7fffff, 0xff7fffff,
  0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0x7fbfffff, 0xffffffff, 0x3f800000, 0xbf800000,
  0x3f7fffff, 0x3f800001, 0x3f000000, 0x40490fdb, 0x4b000000, 0x4b800001, 0x4effffff, 0x4f000000, 0xcf000000,
  0x4f800000, 0x5effffff, 0x5f000000, 0xdf000000, 0x5f7fffff, 0x5f800000, 0x33800000, 0x34000000, 0x3fc00000,
]; // prettier-ignore

/** binary64 patterns, chosen in the same way, with those next to binary32's limits for the conversions. */
export const doubleCorners: readonly bigint[] = [
  0x0000000000000000n, 0x8000000000000000n, 0x0000000000000001n, 0x8000000000000001n, 0x000fffffffffffffn,
  0x0010000000000000n, 0x0010000000000001n, 0x7fefffffffffffffn, 0xffefffffffffffffn, 0x7ff0000000000000n,
  0xfff0000000000000n, 0x7ff8000000000000n, 0xfff8000000000000n, 0x7ff0000000000001n, 0x7ff7ffffffffffffn,
  0xffffffffffffffffn, 0x3ff0000000000000n, 0xbff0000000000000n, 0x3fefffffffffffffn, 0x3ff0000000000001n,
  0x3fe0000000000000n, 0x400921fb54442d18n, 0x4330000000000000n, 0x41dfffffffc00000n, 0x41e0000000000000n,
  0xc1e0000000000000n, 0x41efffffffe00000n, 0x41f0000000000000n, 0x43dfffffffffffffn, 0x43e0000000000000n,
  0xc3e0000000000000n, 0x43efffffffffffffn, 0x43f0000000000000n, 0x47efffffe0000000n, 0x47efffffefffffffn,
  0x47effffff0000000n, 0x3810000000000000n, 0x380fffffffffffffn, 0x36a0000000000000n, 0x369fffffffffffffn,
  0x3ca0000000000000n, 0x3ff8000000000000n,
]; // prettier-ignore

/** binary16 patterns, chosen in the same way. */
export const halfCorners: readonly number[] = [
  0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x0400, 0x0401, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0xfe00, 0x7c01,
  0x7dff, 0xffff, 0x3c00, 0xbc00, 0x3bff, 0x3c01, 0x3800, 0x4248, 0x6400, 0x6801, 0x77ff, 0x7800, 0x1400, 0x3e00,
]; // prettier-ignore

const mask64 = 0xffffffffffffffffn;

/** A corner, a corner's neighbour, a few bits, or anything. */
export function integerValue(random: Random): bigint {
  const choice = random.below(10);
  if (choice < 5) return random.pick(integerCorners);
  if (choice < 7) return (random.pick(integerCorners) + BigInt(random.between(-3, 3))) & mask64;
  if (choice < 8) return random.doubleWord() >> BigInt(random.below(64));
  return random.doubleWord();
}

/** A binary32 pattern in the low half; most are NaN-boxed, some are not, on purpose. */
export function singleValue(random: Random): bigint {
  const pattern = BigInt(
    random.chance(0.6)
      ? random.pick(singleCorners)
      : random.chance(0.5)
        ? (random.word() & 0x807fffff) | (random.between(100, 150) << 23)
        : random.word(),
  );
  const single = pattern & 0xffffffffn;
  return random.chance(0.93) ? 0xffffffff00000000n | single : (BigInt(random.word()) << 32n) | single;
}

/** A binary16 pattern, in 16 bits. */
export function halfValue(random: Random): number {
  if (random.chance(0.5)) return random.pick(halfCorners);
  const pattern = random.word() & 0xffff;
  return random.chance(0.5) ? pattern : (pattern & 0x83ff) | (random.between(10, 20) << 10);
}

export function doubleValue(random: Random): bigint {
  if (random.chance(0.6)) return random.pick(doubleCorners);
  const pattern = random.doubleWord();
  if (random.chance(0.5)) return pattern;
  // Exponents near each other, so that additions and fused operations cancel.
  return (pattern & 0x800fffffffffffffn) | (BigInt(random.between(1000, 1060)) << 52n);
}

/** What a floating-point register may hold. */
export function floatValue(random: Random): bigint {
  return random.chance(0.5) ? singleValue(random) : doubleValue(random);
}
