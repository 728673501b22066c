// High halves of 64 x 64 multiplication, by 32-bit parts.
export function mulhu(a: u64, b: u64): u64 {
  const al = a & 0xffffffff;
  const ah = a >> 32;
  const bl = b & 0xffffffff;
  const bh = b >> 32;
  const middle = ah * bl + ((al * bl) >> 32);
  const cross = al * bh + (middle & 0xffffffff);
  return ah * bh + (middle >> 32) + (cross >> 32);
}

export function mulh(a: u64, b: u64): u64 {
  return mulhu(a, b) - (i64(a) < 0 ? b : 0) - (i64(b) < 0 ? a : 0);
}

export function mulhsu(a: u64, b: u64): u64 {
  return mulhu(a, b) - (i64(a) < 0 ? b : 0);
}

/** Bits 64 to 127 of the carry-less product: the multiples of `a` shifted right, so that each leaves what is above. */
function carryLessHigh(a: u64, b: u64): u64 {
  let sum: u64 = 0;
  for (let rest = b & ~u64(1); rest != 0; rest &= rest - 1) sum ^= a >> (64 - ctz<u64>(rest));
  return sum;
}

export function clmul(a: u64, b: u64): u64 {
  let sum: u64 = 0;
  for (let rest = b; rest != 0; rest &= rest - 1) sum ^= a << ctz<u64>(rest);
  return sum;
}
export function clmulh(a: u64, b: u64): u64 {
  return carryLessHigh(a, b);
}
/** Bits 63 to 126: the product of the operands bit-reversed, reversed. */
export function clmulr(a: u64, b: u64): u64 {
  return (carryLessHigh(a, b) << 1) | (clmul(a, b) >> 63);
}
