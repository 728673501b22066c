/**
 * What an instruction's semantics may say. A back end decides where operands
 * come from (the instruction word, or constants and locals) and where control
 * goes; the arithmetic is the same code in both.
 *
 * Values are expressions: using one twice computes it twice, and reading a
 * register after writing it reads the new value. `let` binds a value first.
 */
import {
  type Expression,
  type I32,
  type I64,
  type Integer,
  binary,
  compare,
  convert,
  extendSigned,
  extendUnsigned,
  i32Constant,
  i64Constant,
  isZero,
  select,
  unary,
  wrap,
} from '../wasm/expression';
import type { Arithmetic, Comparison, IntegerType } from '../wasm/opcodes';

export type { I32, I64 } from '../wasm/expression';

export type LoadKind = 'b' | 'h' | 'w' | 'd' | 'bu' | 'hu' | 'wu';
export type StoreKind = 'b' | 'h' | 'w' | 'd';
export type AtomicKind = 'w' | 'd';

export abstract class Emitter {
  // Operands and architectural state.
  abstract get rs1(): I64;
  abstract get rs2(): I64;
  abstract get fs1(): I64;
  abstract get fs2(): I64;
  abstract get fs3(): I64;
  /** The immediate, sign- or zero-extended as its encoding says. */
  abstract get imm(): I64;
  /** Any other field of the instruction, zero-extended. */
  abstract field(name: string): I32;
  /** Address of this instruction, and of the one that follows it. */
  abstract get pc(): I64;
  abstract get next(): I64;
  /** The instruction word as fetched, zero-extended. */
  abstract get word(): I32;
  /** Writes the destination register; writes to x0 are dropped. */
  abstract rd(value: I64): void;
  abstract fd(value: I64): void;

  // Memory. Addresses are virtual; faults are precise.
  abstract load(kind: LoadKind, address: I64): I64;
  abstract store(kind: StoreKind, address: I64, value: I64): void;
  /** Read-modify-write of an aligned location; returns the old value, sign-extended. */
  abstract atomic(kind: AtomicKind, address: I64, update: (old: I64) => I64): I64;

  // Control.
  abstract branch(condition: I32): void;
  /** To pc + imm. */
  abstract jump(): void;
  abstract jumpTo(target: I64): void;
  /** Calls a helper. @see cpu/helpers.ts for the table. */
  abstract call(helper: string, args: readonly Expression[]): Expression;
  /** As `call`, for helpers without a result. */
  abstract perform(helper: string, args: readonly Expression[]): void;
  /** Illegal-instruction exception while `mstatus.FS` is off; marks the floating-point state dirty otherwise. */
  abstract requireFloat(): void;
  /** Ends the instruction: the helper has set pc, mode or translation anew. */
  abstract redirect(): void;

  /** Evaluates once, to be used many times. */
  abstract let<T extends IntegerType>(value: Expression<T>): Expression<T>;
  abstract if(condition: I32, then: () => void, otherwise?: () => void): void;

  /** The instruction's rounding mode, `frm` where it says so. Reserved modes are illegal. */
  roundingMode(): I32 {
    return this.call('rounding_mode', [this.field('rm'), this.word]) as I32;
  }

  // Arithmetic, on either width.
  readonly const = (value: bigint | number): I64 => i64Constant(BigInt(value));
  readonly const32 = i32Constant;
  readonly add = operator('add');
  readonly sub = operator('sub');
  readonly mul = operator('mul');
  readonly and = operator('and');
  readonly or = operator('or');
  readonly xor = operator('xor');
  readonly rotl = operator('rotl');
  readonly rotr = operator('rotr');
  /** Shifts take their amount modulo the width, as both RISC-V and WebAssembly do. */
  readonly shl = operator('shl');
  readonly shr = operator('shr_u');
  readonly sar = operator('shr_s');
  /** Division traps in WebAssembly where RISC-V does not: callers guard zero and overflow. */
  readonly divS = operator('div_s');
  readonly divU = operator('div_u');
  readonly remS = operator('rem_s');
  readonly remU = operator('rem_u');

  readonly clz = unaryOperator('clz');
  readonly ctz = unaryOperator('ctz');
  readonly popcnt = unaryOperator('popcnt');

  readonly eq = relation('eq');
  readonly ne = relation('ne');
  readonly ltS = relation('lt_s');
  readonly ltU = relation('lt_u');
  readonly geS = relation('ge_s');
  readonly geU = relation('ge_u');
  readonly isZero = isZero;

  readonly select = select;
  readonly wrap = wrap;
  /** i32 to i64. */
  readonly sext = extendSigned;
  readonly zext = extendUnsigned;
  /** The low 32, 16 or 8 bits of an i64, sign- or zero-extended to 64. */
  readonly sext32 = (value: I64): I64 => convert('i64.extend32_s', value) as I64;
  readonly sext16 = (value: I64): I64 => convert('i64.extend16_s', value) as I64;
  readonly sext8 = (value: I64): I64 => convert('i64.extend8_s', value) as I64;
  readonly zext32 = (value: I64): I64 => extendUnsigned(wrap(value));
  readonly not = (value: I64): I64 => this.xor(value, this.const(-1));
}

function operator(name: Arithmetic) {
  return <T extends IntegerType>(left: Expression<T>, right: Expression<T>): Expression<T> =>
    binary(name, left, right);
}

function unaryOperator(name: Arithmetic) {
  return <T extends IntegerType>(operand: Expression<T>): Expression<T> => unary(name, operand);
}

function relation(name: Comparison) {
  return <T extends IntegerType>(left: Expression<T>, right: Expression<T>): I32 =>
    compare(name, left, right);
}

export type { Expression, Integer };
