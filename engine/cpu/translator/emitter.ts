/**
 * The translator's half of the emitter: operands are constants, registers are
 * locals. What is rare (an address that the TLB does not settle, floating point
 * that is off) leaves the region before the instruction: it is the
 * interpreter's then, and the region's code has no calls in its loops.
 */
import { type AtomicKind, Emitter, type LoadKind, type StoreKind } from '../../isa/emitter';
import {
  Expression,
  type F32,
  type F64,
  type I32,
  type I64,
  type Integer,
  binary,
  bitsOf,
  boxOf,
  compare,
  doubleOf,
  extendSigned,
  float,
  i32Constant,
  i64Constant,
  isZero,
  load,
  wrap,
} from '../../wasm/expression';
import type { FunctionBuilder, Label, Local } from '../../wasm/function-builder';
import type { Callee } from '../../wasm/module-builder';
import type { IntegerType, ValueType } from '../../wasm/opcodes';
import { helpers } from '../helpers';
import { loads, stores } from '../interpreter/access';
import { ABSOLUTE, Temporaries } from '../interpreter/emitter';
import * as at from '../layout';
import { type InlineFloat, inlineFloat } from './float';
import type { FloatContext } from './float-format';
import { type Step, operandOf } from './region';

/** Stands for frm among a helper's arguments, until it is known whether frm matters. */
const DYNAMIC = i32Constant(7);

/** What instructions share in one region's function. */
export interface Frame {
  readonly builder: FunctionBuilder;
  readonly temporaries: Temporaries;
  readonly callees: ReadonlyMap<string, Callee>;
  /** Virtual address of the page that the entry lies in. */
  readonly base: Local<'i64'>;
  readonly countdown: Local<'i32'>;
  /** Where the region is left; see `placeOf`. */
  readonly place: Local<'i32'>;
  readonly dataTlb: Local<'i32'>;
  /** 0 while mstatus.FS is on, frm is nearest-even and NX is set in fflags, else -1; see float.ts. */
  readonly special: Local<'i32'>;
  /** Where `jumpTo` goes. */
  readonly target: Local<'i64'>;
  x(number: number): Local<'i64'>;
  f(number: number): Local<'f64'>;
  /** The single in a register, where it is known to be one. */
  single(number: number): Local<'f32'>;
}

/** Where control goes when it leaves at the present instruction. */
export interface WaysOut {
  /** A trap: memory has pc and countdown. */
  trapped(): Label;
  /** This instruction is the interpreter's; `place` says which it is. */
  interpret(): Label;
}

const AHEAD_BITS = 9;
/** An instruction for `Frame.place`: its offset, and how many of its block are counted already that are still to come. */
export const placeOf = (offset: number, ahead: number): I32 => i32Constant((offset << AHEAD_BITS) | ahead);
export const offsetOf = (place: I32): I64 => extendSigned(binary('shr_s', place, i32Constant(AHEAD_BITS)));
export const aheadOf = (place: I32): I32 => binary('and', place, i32Constant((1 << AHEAD_BITS) - 1));

export class TranslatorEmitter extends Emitter {
  private step!: Step;
  private ways!: WaysOut;
  /** Instructions of the block that come after this one: the countdown is ahead by them. */
  private ahead = 0;
  /** A helper was called that may have asked for a poll. */
  polled = false;
  /** mstatus.FS has been seen to be on, in this block. */
  private floatOn = false;
  /** Registers known to hold a boxed single, in this block. */
  private readonly singles = new Set<number>();
  /** Set by `branch`. */
  condition: I32 | undefined;

  constructor(private readonly frame: Frame) {
    super();
  }

  beginBlock(floatOn: boolean): void {
    this.floatOn = floatOn;
    this.singles.clear();
  }

  begin(step: Step, ways: WaysOut, ahead: number): void {
    this.step = step;
    this.ways = ways;
    this.ahead = ahead;
    this.polled = false;
    this.condition = undefined;
    this.frame.temporaries.reset();
  }

  get rs1(): I64 {
    return this.x('rs1');
  }
  get rs2(): I64 {
    return this.x('rs2');
  }
  get fs1(): I64 {
    return this.f('rs1');
  }
  get fs2(): I64 {
    return this.f('rs2');
  }
  get fs3(): I64 {
    return this.f('rs3');
  }
  get imm(): I64 {
    return i64Constant(BigInt(this.number('imm')));
  }
  field(name: string): I32 {
    return i32Constant(this.number(name));
  }
  get pc(): I64 {
    return this.address(this.step.offset);
  }
  get next(): I64 {
    return this.address(this.step.offset + this.step.instruction.encoding.length);
  }
  get word(): I32 {
    return i32Constant(this.step.word);
  }

  rd(value: I64): void {
    const number = this.number('rd');
    if (number === 0) this.frame.builder.drop(value);
    else this.frame.builder.set(this.frame.x(number), value);
  }
  fd(value: I64): void {
    const { builder } = this.frame;
    const number = this.number('rd');
    const register = this.frame.f(number);
    const { single } = value.number;
    if (single) {
      const local = this.frame.single(number);
      builder.set(local, single);
      builder.set(register, doubleOf(boxOf(local.get)));
      this.singles.add(number);
    } else {
      builder.set(register, doubleOf(value));
      this.singles.delete(number);
    }
  }

  load(kind: LoadKind, address: I64): I64 {
    const { size, operator } = loads[kind];
    return load(operator, this.host(this.let(address), size, 0, 'settle_load')) as I64;
  }

  store(kind: StoreKind, address: I64, value: I64): void {
    const { size, operator } = stores[kind];
    const place = this.host(this.let(address), size, at.TLB_WRITE, 'settle_store');
    const { double, single } = value.number;
    if (kind === 'd' && double) this.frame.builder.store('f64.store', place, double);
    else if (kind === 'w' && single) this.frame.builder.store('f32.store', place, single);
    else this.frame.builder.store(operator, place, value);
  }

  atomic(kind: AtomicKind, address: I64, update: (old: I64) => I64): I64 {
    const { size, operator } = stores[kind];
    const host = this.let(this.host(this.let(address), size, at.TLB_WRITE, 'settle_atomic'));
    const old = this.let(load(loads[kind].operator, host) as I64);
    this.frame.builder.store(operator, host, update(old));
    return old;
  }

  branch(condition: I32): void {
    this.condition = condition;
  }
  jump(): void {
    // The block's ending says where.
  }
  jumpTo(target: I64): void {
    this.frame.builder.set(this.frame.target, target);
  }

  call(helper: string, args: readonly Expression[]): Expression {
    if (helpers.get(helper)?.effect) return this.effect(helper, args)!;
    const { operands } = this.step.instruction.encoding;
    const rounding = operands.has('rm') ? this.number('rm') : undefined;
    const inline = inlineFloat(helper, rounding);
    return inline ? this.inline(inline, helper, args, rounding === 7) : this.settled(helper, args);
  }
  perform(helper: string, args: readonly Expression[]): void {
    this.effect(helper, args);
  }

  /** Once on each path, and after each access to a CSR. */
  requireFloat(): void {
    if (this.floatOn) return;
    this.floatOn = true;
    this.frame.builder.ifRarely(this.frame.special.get, () => this.interpretWhen(isZero(floatIsOn())));
  }

  override roundingMode(): I32 {
    const mode = this.number('rm');
    return mode <= 4 ? i32Constant(mode) : mode === 7 ? DYNAMIC : this.checkedRounding(i32Constant(mode));
  }

  redirect(): void {
    // The block's ending goes to where pc is now.
  }

  let<T extends IntegerType>(value: Expression<T>): Expression<T> {
    return this.bind(value);
  }

  private bind<T extends ValueType>(value: Expression<T>): Expression<T> {
    const local = this.frame.temporaries.take(value.type);
    this.frame.builder.set(local, value);
    return local.get;
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.frame.builder.if(condition, then, otherwise);
  }

  /** The countdown as the interpreter would have it during this instruction. */
  get counted(): I32 {
    return this.ahead === 0
      ? this.frame.countdown.get
      : binary('add', this.frame.countdown.get, i32Constant(this.ahead));
  }

  address(offset: number): I64 {
    return offset === 0
      ? this.frame.base.get
      : binary('add', this.frame.base.get, i64Constant(BigInt(offset)));
  }

  private effect(helper: string, args: readonly Expression[]): Integer | undefined {
    const { builder } = this.frame;
    builder.store('i64.store', ABSOLUTE, this.pc, at.PC);
    builder.store('i32.store', ABSOLUTE, this.counted, at.COUNTDOWN);
    const callee = this.callee(helper);
    const type = callee.signature.result as IntegerType | undefined;
    const result = type && this.frame.temporaries.take(type);
    if (result) builder.set(result, callee.call(args) as Integer);
    else builder.leave(callee.call(args));
    if (this.step.facts.control === 'redirect') return result?.get;
    builder.branchRarely(load('i32.load', ABSOLUTE, at.TRAPPED) as I32, this.ways.trapped());
    this.polled = true;
    if (helper === 'csr') {
      builder.set(this.frame.dataTlb, load('i32.load', ABSOLUTE, at.DATA_TLB) as I32);
      this.floatOn = false;
      this.lookAtFloat();
    }
    return result?.get;
  }

  /** Calls a helper without an effect. */
  private settled(helper: string, args: readonly Expression[]): Expression {
    if (!args.includes(DYNAMIC)) return this.callee(helper).call(args);
    const mode = this.checkedRounding(frm());
    return this.callee(helper).call(args.map((argument) => (argument === DYNAMIC ? mode : argument)));
  }

  /** A reserved rounding mode is an illegal instruction, which the interpreter raises. */
  private checkedRounding(mode: I32): I32 {
    const known = this.let(mode);
    this.interpretWhen(compare('gt_u', known, i32Constant(4)));
    return known;
  }

  /** By WebAssembly's arithmetic, or by the helper where that may not be the same. */
  private inline(form: InlineFloat, helper: string, args: readonly Expression[], dynamic: boolean): I64 {
    const { builder, temporaries, special } = this.frame;
    let result!: Local;
    builder.block((done) => {
      builder.block((slow) => {
        const context: FloatContext = {
          special: special.get,
          let: (value) => this.bind(value),
          unless: (condition) => builder.branchRarely(condition, slow),
          checkRounding: () => {
            if (dynamic) builder.ifRarely(special.get, () => void this.checkedRounding(frm()));
          },
        };
        const value = form(context, args as I64[]);
        result = temporaries.take(value.type);
        builder.set(result, value);
        builder.branch(done);
      });
      builder.set(result, fromBits(result.type, this.settled(helper, args) as I64));
      this.setSpecial(roundsAsUsual());
    });
    return toBits(result.get);
  }

  /** Finds out whether floating point is special, where anything about it may have changed. */
  lookAtFloat(): void {
    this.setSpecial(binary('and', floatIsOn(), roundsAsUsual()));
  }
  private setSpecial(ordinary: I32): void {
    this.frame.builder.set(this.frame.special, binary('sub', ordinary, i32Constant(1)));
  }

  private callee(helper: string): Callee {
    const callee = this.frame.callees.get(helper);
    if (!callee) {
      const { mnemonic } = this.step.instruction;
      throw new Error(`${mnemonic} calls "${helper}", which is not in the table of helpers`);
    }
    return callee;
  }

  /** Linear-memory address of `virtual`; what `settle` does not settle either is the interpreter's. */
  private host(virtual: I64, size: number, kind: number, settle: string): I32 {
    const { builder, temporaries, dataTlb } = this.frame;
    const mask = (at.TLB_ENTRIES - 1) * at.TLB_ENTRY;
    const index = binary('and', binary('shr_u', wrap(virtual), i32Constant(12 - 4)), i32Constant(mask));
    const entry = this.let(binary('add', dataTlb.get, index));
    const tag = binary('and', virtual, i64Constant(BigInt(size - 1) - 4096n));
    const host = temporaries.take('i32');
    builder.set(host, binary('add', wrap(virtual), load('i32.load', entry, kind + 8) as I32));
    builder.ifRarely(compare('ne', tag, load('i64.load', entry, kind) as I64), () => {
      builder.set(host, this.callee(settle).call([virtual, i32Constant(size)]) as I32);
      this.interpretWhen(isZero(host.get));
    });
    return host.get;
  }

  private interpretWhen(condition: I32): void {
    const { builder, place } = this.frame;
    builder.set(place, placeOf(this.step.offset, this.ahead + 1));
    builder.branchRarely(condition, this.ways.interpret());
  }

  private f(operand: string): I64 {
    const number = this.number(operand);
    const register = this.frame.f(number).get;
    return this.singles.has(number)
      ? new Expression('i64', bitsOf(register).code, {
          double: register,
          single: this.frame.single(number).get,
        })
      : bitsOf(register);
  }
  private x(operand: string): I64 {
    const number = this.number(operand);
    return number === 0 ? i64Constant(0n) : this.frame.x(number).get;
  }
  private number(operand: string): number {
    return operandOf(this.step, operand);
  }
}

/** 1 or 0. */
const floatIsOn = (): I32 => {
  const state = binary('and', load('i32.load', ABSOLUTE, at.MSTATUS) as I32, i32Constant(0x6000));
  return compare('eq', state, i32Constant(0x6000));
};
const roundsAsUsual = (): I32 => binary('and', isZero(frm()), load('i32.load', ABSOLUTE, at.FFLAGS) as I32);
const frm = (): I32 => load('i32.load', ABSOLUTE, at.FRM) as I32;

/** A result as its register holds it: an integer, or a number of either format; and the other way round. */
const toBits = (value: Expression): I64 => {
  if (value.type === 'f64') return bitsOf(value as F64);
  return value.type === 'f32' ? boxOf(value as F32) : (value as I64);
};
const fromBits = (type: ValueType, bits: I64): Expression => {
  if (type === 'f64') return doubleOf(bits);
  return type === 'f32' ? float('f32.reinterpret_i32', wrap(bits)) : bits;
};
