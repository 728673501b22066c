// Rounding an exact or jammed intermediate result into a format: IEEE 754-2019, sections 4.3 and 7.4 to 7.6.
//
// A "jammed" significand is one whose lowest bit also stands for everything below it: it is set when any bit that
// did not fit was. As long as two bits or more lie below the rounding position this decides every mode correctly.

import { atExponent, bias, bit, excessWidth, infinity, precision, zero } from './format';
import { NX, OF, RDN, RMM, RNE, RTZ, RUP, UF, raise } from './status';

/** Shifts right by any distance, jamming. */
export function shiftRightJam(x: u64, distance: i32): u64 {
  if (distance == 0) return x;
  if (distance > 63) return <u64>(x != 0);
  return (x >> distance) | ((x << (64 - distance) != 0) as u64);
}

/** Whether rounding goes to the neighbour further from zero, given the kept bits and those to be dropped. */
function roundsAway<T>(sign: u32, kept: u64, dropped: u64, rm: u32): bool {
  const half: u64 = bit(excessWidth<T>() - 1);
  if (rm == RNE) return dropped + (kept & 1) > half;
  if (rm == RMM) return dropped >= half;
  if (rm == RTZ) return false;
  return dropped != 0 && (rm == RDN) == (sign != 0);
}

function overflow<T>(sign: u32, rm: u32): T {
  raise(OF | NX);
  const towardsZero = rm == RTZ || (rm == RDN && sign == 0) || (rm == RUP && sign != 0);
  return infinity<T>(sign) - (towardsZero ? <T>1 : <T>0);
}

/**
 * Rounds significand * 2^(exponent - 63), bit 63 of the significand being set, and raises OF, UF and NX as due.
 * Below the format's range the significand is shifted to the fixed exponent of subnormals before rounding; tininess
 * is judged after rounding to full precision with an unbounded exponent, as RISC-V requires.
 */
export function roundPack<T>(sign: u32, exponent: i32, significand: u64, rm: u32): T {
  if (exponent > bias<T>()) return overflow<T>(sign, rm);
  const excess = excessWidth<T>();
  const mask: u64 = bit(excess) - 1;
  const subnormality = 1 - bias<T>() - exponent;
  let tiny = false;
  let field = exponent + bias<T>();
  if (subnormality > 0) {
    const kept = significand >> excess;
    const carries =
      subnormality == 1 &&
      kept + (roundsAway<T>(sign, kept, significand & mask, rm) as u64) == bit(precision<T>());
    tiny = !carries;
    significand = shiftRightJam(significand, subnormality);
    field = 1;
  }
  const kept = significand >> excess;
  const dropped = significand & mask;
  // The leading one, added to the exponent field, is what makes that field one higher; likewise a carry out of the
  // significand moves to the next binade, and from the subnormals to the least normal number.
  const rounded = kept + (roundsAway<T>(sign, kept, dropped, rm) as u64);
  const packed = (rounded as T) + atExponent<T>(field - 1);
  if (packed >= infinity<T>(0)) return overflow<T>(sign, rm);
  if (dropped != 0) raise(tiny ? UF | NX : NX);
  return zero<T>(sign) | packed;
}
