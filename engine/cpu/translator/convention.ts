/**
 * How translated code is called. A region is one WebAssembly function in the
 * hart's table, (pc, countdown, depth) -> result. All guest registers are in
 * memory when it is entered and when it returns, and so is pc when it returns.
 *
 *   result >= 0   the guest returned: the countdown; whoever called compares pc
 *   LEAVE         look anew: the countdown is in memory
 *   INTERPRET     the same, and the next instruction is the interpreter's to execute
 */
import { type I32, binary, i32Constant } from '../../wasm/expression';
import type { Signature } from '../../wasm/module-builder';
import * as at from '../layout';

export const regionSignature: Signature = { parameters: ['i64', 'i32', 'i32'], result: 'i32' };

export const LEAVE = -1;
export const INTERPRET = -2;

/** Guest calls that may be nested as WebAssembly calls. */
export const DEEPEST = 100;

/** Slot of a function that leaves at once: stands wherever nothing is translated. */
export const NOTHING_SLOT = 0;

/** Offset within the jump cache of the line for code at `place` of linear memory. */
export const jumpCacheLine = (place: I32): I32 =>
  binary(
    'and',
    binary('xor', binary('shl', place, i32Constant(2)), binary('shr_u', place, i32Constant(10))),
    i32Constant(at.JUMP_CACHE_MASK),
  );
export const jumpCacheOffset = (place: number): number =>
  ((place << 2) ^ (place >>> 10)) & at.JUMP_CACHE_MASK;
