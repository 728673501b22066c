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
