// Arithmetic on large numbers in guest memory, for the instructions of isa/paravirt.ts. AssemblyScript.
// Arguments are register numbers. Operands are copied to at.SCRATCH, where all is computed.
import * as at from '../layout';
import { register, toPageEnd } from './bulk';
import { ACCESS_FAULT, fault, hostAddress, inRam, resolve } from './mmu';
import { mulhu } from './multiply';
import { Access } from './pmp';
import { illegal } from './trap';

/** Words of 64 bits in one factor, and in a modulus. */
const MOST_WORDS: u64 = 32;
/** Room for twice as many words, and one more. */
const DOUBLE: u32 = 528;

/** Physical address of `bytes` within one page of RAM; ACCESS_FAULT or above after a trap. */
function ramAt(virtual: u64, bytes: u64, access: u32): u64 {
  const physical = resolve(virtual, bytes, access);
  if (physical >= ACCESS_FAULT || inRam(physical, bytes)) return physical;
  fault(ACCESS_FAULT, access, virtual);
  return ACCESS_FAULT;
}

/** Reads what may lie in two pages. False after a trap. */
function gather(virtual: u64, bytes: u64, into: u32): bool {
  const first = min(bytes, toPageEnd(virtual));
  const low = ramAt(virtual, first, Access.Read);
  if (low >= ACCESS_FAULT) return false;
  memory.copy(into, hostAddress(low), usize(first));
  if (first == bytes) return true;
  const high = ramAt(virtual + first, bytes - first, Access.Read);
  if (high >= ACCESS_FAULT) return false;
  memory.copy(into + u32(first), hostAddress(high), usize(bytes - first));
  return true;
}

/** Writes what may lie in two pages: both are checked before the first byte is written. */
function scatter(virtual: u64, bytes: u64, from: u32): void {
  const first = min(bytes, toPageEnd(virtual));
  const low = ramAt(virtual, first, Access.Write);
  if (low >= ACCESS_FAULT) return;
  if (first < bytes) {
    const high = ramAt(virtual + first, bytes - first, Access.Write);
    if (high >= ACCESS_FAULT) return;
    memory.copy(hostAddress(high), from + u32(first), usize(bytes - first));
  }
  memory.copy(hostAddress(low), from, usize(first));
}

function multiply(left: u32, right: u32, product: u32, words: u32): void {
  memory.fill(product, 0, 16 * words);
  for (let i: u32 = 0; i < words; i++) {
    const factor = load<u64>(left + 8 * i);
    let carry: u64 = 0;
    for (let j: u32 = 0; j < words; j++) {
      const place = product + 8 * (i + j);
      const other = load<u64>(right + 8 * j);
      const low = factor * other;
      const sum = low + carry;
      const total = sum + load<u64>(place);
      carry = mulhu(factor, other) + u64(sum < low) + u64(total < sum);
      store<u64>(place, total);
    }
    store<u64>(product + 8 * (i + words), carry);
  }
}

/** Bytes of one factor or modulus; zero, and a trap, where register `rs3` holds no such length. */
function operandBytes(rs3: u32, word: u32): u64 {
  const words = register(rs3);
  if (words != 0 && words <= MOST_WORDS) return 8 * words;
  illegal(word);
  return 0;
}

export function bulk_multiply(rd: u32, rs1: u32, rs2: u32, rs3: u32, word: u32): void {
  const bytes = operandBytes(rs3, word);
  if (bytes == 0) return;
  const product: u32 = at.SCRATCH;
  const left: u32 = product + DOUBLE;
  const right: u32 = left + u32(bytes);
  if (!gather(register(rs1), bytes, left) || !gather(register(rs2), bytes, right)) return;
  multiply(left, right, product, u32(bytes >> 3));
  scatter(register(rd), 2 * bytes, product);
}

/** Half words are the digits of division: a digit times a digit, and two digits over one, fit 64 bits. */
function digit(number: u32, index: u32): u64 {
  return load<u32>(number + 4 * index);
}
function setDigit(number: u32, index: u32, value: u64): void {
  store<u32>(number + 4 * index, u32(value));
}

function shiftLeft(number: u32, digits: u32, bits: u64): void {
  let carry: u64 = 0;
  for (let i: u32 = 0; i < digits; i++) {
    const shifted = (digit(number, i) << bits) | carry;
    setDigit(number, i, shifted);
    carry = shifted >> 32;
  }
}
function shiftRight(number: u32, digits: u32, bits: u64): void {
  let carry: u64 = 0;
  for (let i = i32(digits) - 1; i >= 0; i--) {
    const value = (carry << 32) | digit(number, i);
    setDigit(number, i, value >> bits);
    carry = value & ((u64(1) << bits) - 1);
  }
}

/** Subtracts `factor` times the divisor from the dividend at `place`; returns what is missing above. */
function subtractMultiple(dividend: u32, place: u32, divisor: u32, digits: u32, factor: u64): bool {
  let carry: u64 = 0;
  let borrow: u64 = 0;
  for (let i: u32 = 0; i < digits; i++) {
    const product = factor * digit(divisor, i) + carry;
    carry = product >> 32;
    const difference = digit(dividend, place + i) - (product & 0xffffffff) - borrow;
    setDigit(dividend, place + i, difference);
    borrow = difference >> 63;
  }
  const difference = digit(dividend, place + digits) - carry - borrow;
  setDigit(dividend, place + digits, difference);
  return difference >> 63 != 0;
}
function addBack(dividend: u32, place: u32, divisor: u32, digits: u32): void {
  let carry: u64 = 0;
  for (let i: u32 = 0; i < digits; i++) {
    const sum = digit(dividend, place + i) + digit(divisor, i) + carry;
    setDigit(dividend, place + i, sum);
    carry = sum >> 32;
  }
  setDigit(dividend, place + digits, digit(dividend, place + digits) + carry);
}

/** Knuth, The Art of Computer Programming, volume 2, algorithm 4.3.1 D. The dividend has a digit of room above. */
function reduce(dividend: u32, dividendDigits: u32, divisor: u32, digits: u32): void {
  const shift = u64(clz<u32>(u32(digit(divisor, digits - 1))));
  shiftLeft(divisor, digits, shift);
  setDigit(dividend, dividendDigits, 0);
  shiftLeft(dividend, dividendDigits + 1, shift);
  const first = digit(divisor, digits - 1);
  const second = digits > 1 ? digit(divisor, digits - 2) : 0;
  for (let place = i32(dividendDigits - digits); place >= 0; place--) {
    const top = u32(place) + digits;
    const two = (digit(dividend, top) << 32) | digit(dividend, top - 1);
    let quotient = two / first;
    let rest = two % first;
    const next = digits > 1 ? digit(dividend, top - 2) : 0;
    while (quotient >> 32 != 0 || quotient * second > ((rest << 32) | next)) {
      quotient--;
      rest += first;
      if (rest >> 32 != 0) break;
    }
    if (subtractMultiple(dividend, place, divisor, digits, quotient))
      addBack(dividend, place, divisor, digits);
  }
  shiftRight(dividend, digits, shift);
}

export function bulk_reduce(rd: u32, rs1: u32, rs2: u32, rs3: u32, word: u32): void {
  const bytes = operandBytes(rs3, word);
  if (bytes == 0) return;
  const dividend: u32 = at.SCRATCH;
  const divisor: u32 = dividend + DOUBLE;
  if (!gather(register(rs1), 2 * bytes, dividend) || !gather(register(rs2), bytes, divisor)) return;
  let digits = u32(bytes >> 2);
  while (digits != 0 && digit(divisor, digits - 1) == 0) digits--;
  if (digits == 0) return illegal(word);
  reduce(dividend, u32(bytes >> 1), divisor, digits);
  memory.fill(dividend + 4 * digits, 0, usize(bytes) - 4 * digits);
  scatter(register(rd), bytes, dividend);
}
