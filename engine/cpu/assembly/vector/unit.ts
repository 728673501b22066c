// What the vector instruction being executed works on: its registers, and vtype, vl and vstart taken apart.
// "Vector Extension", "Vector Extension Programmer's Model".
import * as at from '../../layout';
import { VS, cell, setCell, status } from '../state';

/** Register numbers, and whether v0 masks elements (vm = 0). */
export let vd: u32 = 0;
export let vs1: u32 = 0;
export let vs2: u32 = 0;
export let masked: bool = false;

/** Element width as the logarithm of bytes, 0 to 3; group size as that of registers, -3 to 3. */
export let sew: u32 = 0;
export let lmul: i32 = 0;
export let vl: u32 = 0;
export let vstart: u32 = 0;

export function hasFeature(feature: u32): bool {
  return (load<u32>(at.FEATURES) & feature) != 0;
}

/** ELEN, 64 or 32 bits, as `sew` counts. */
export function widest(): u32 {
  return hasFeature(at.FEATURE_VECTOR_64) ? 3 : 2;
}

export function lmulOf(vtype: u64): i32 {
  return (i32(vtype) << 29) >> 29;
}
export function sewOf(vtype: u64): u32 {
  return u32(vtype >> 3) & 7;
}

/** Elements of this width in a group of so many registers. */
export function elements(width: u32, group: i32): u32 {
  const one: u32 = at.VLENB >> width;
  return group >= 0 ? one << group : one >> -group;
}
/** VLMAX. */
export function maximum(): u32 {
  return elements(sew, lmul);
}

export function vectorsOn(): bool {
  return (status() & VS) != 0;
}

/** The register fields alone, for instructions that do not depend on vtype. */
export function takeRegisters(word: u32): void {
  vd = (word >> 7) & 31;
  vs1 = (word >> 15) & 31;
  vs2 = (word >> 20) & 31;
  masked = (word & 0x2000000) == 0;
  vstart = u32(cell(at.VSTART));
}

/** Takes the instruction and the vector state up. False when mstatus.VS or vill makes it illegal. */
export function begin(word: u32): bool {
  const vtype = cell(at.VTYPE);
  if (!vectorsOn() || i64(vtype) < 0) return false;
  takeRegisters(word);
  sew = sewOf(vtype);
  lmul = lmulOf(vtype);
  vl = u32(cell(at.VL));
  return true;
}

function markDirty(): void {
  setCell(at.MSTATUS, status() | VS);
}

/** The instruction is done: every one of them resets vstart. */
export function finish(): void {
  setCell(at.VSTART, 0);
  markDirty();
}

/** A trap came at this element: the instruction is to go on there. */
export function suspend(element: u32): void {
  setCell(at.VSTART, element);
  markDirty();
}

export function funct6(word: u32): u32 {
  return word >> 26;
}

/** Where the second source comes from: funct3 of OP-V. */
export function isVectorVector(word: u32): bool {
  const funct3 = (word >> 12) & 7;
  return funct3 < 3;
}

/** Whether v0 lets this element be worked on. */
export function active(element: u32): bool {
  return !masked || maskBit(0, element);
}

export function maskBit(register: u32, element: u32): bool {
  return ((load<u8>(address(register) + (element >> 3)) >> u8(element & 7)) & 1) != 0;
}
export function setMaskBit(register: u32, element: u32, value: bool): void {
  const place = address(register) + (element >> 3);
  const bit: u32 = 1 << (element & 7);
  const old: u32 = load<u8>(place);
  store<u8>(place, value ? old | bit : old & ~bit);
}

/** Where a register, and with it a group, lies in memory. */
export function address(register: u32): u32 {
  return at.V + (register << 4);
}

export function unsigned(base: u32, element: u32, width: u32): u64 {
  const place = base + (element << width);
  switch (width) {
    case 0:
      return load<u8>(place);
    case 1:
      return load<u16>(place);
    case 2:
      return load<u32>(place);
    default:
      return load<u64>(place);
  }
}

export function signed(base: u32, element: u32, width: u32): i64 {
  const place = base + (element << width);
  switch (width) {
    case 0:
      return load<i8>(place);
    case 1:
      return load<i16>(place);
    case 2:
      return load<i32>(place);
    default:
      return load<i64>(place);
  }
}

export function put(base: u32, element: u32, width: u32, value: u64): void {
  const place = base + (element << width);
  switch (width) {
    case 0:
      return store<u8>(place, value);
    case 1:
      return store<u16>(place, value);
    case 2:
      return store<u32>(place, value);
    default:
      return store<u64>(place, value);
  }
}

/** The low bits of a value as wide as an element. */
export function bitsOf(width: u32): u32 {
  return 8 << width;
}
export function maskOf(width: u32): u64 {
  return u64.MAX_VALUE >> (64 - bitsOf(width));
}

/** A scalar as if it were a group: one copy an element. */
function splat(scalar: u64): u32 {
  let pattern = scalar & maskOf(sew);
  for (let bits = bitsOf(sew); bits < 64; bits <<= 1) pattern |= pattern << bits;
  const bytes = vl << sew;
  for (let i: u32 = 0; i < bytes; i += 8) store<u64>(at.SCRATCH + i, pattern);
  return at.SCRATCH;
}

/** The second source's elements: the group vs1, or copies of the scalar. */
export function secondSource(word: u32, scalar: u64): u32 {
  return isVectorVector(word) ? address(vs1) : splat(scalar);
}
