/**
 * The interpreter's half of the emitter: operands are read from the
 * instruction word at run time, registers live in linear memory.
 */
import { type Operand, type Piece } from '../../isa/encoding';
import { type AtomicKind, Emitter, type LoadKind, type StoreKind } from '../../isa/emitter';
import type { Instruction } from '../../isa/instruction';
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
  load,
  wrap,
} from '../../wasm/expression';
import type { FunctionBuilder, Label, Local } from '../../wasm/function-builder';
import type { Callee } from '../../wasm/module-builder';
import type { IntegerType, ValueType } from '../../wasm/opcodes';
import { helpers } from '../helpers';
import * as at from '../layout';
import { loads, stores } from './access';

/** Locals of the interpreter loop. pc = ip + delta, where ip is the instruction's address in linear memory. */
export interface Registers {
  readonly ip: Local<'i32'>;
  readonly page: Local<'i32'>;
  readonly delta: Local<'i64'>;
  readonly countdown: Local<'i32'>;
  readonly word: Local<'i32'>;
  readonly dataTlb: Local<'i32'>;
  readonly fetchTlb: Local<'i32'>;
  /** 1: the next instruction is to be interpreted, whatever was translated. */
  readonly skip: Local<'i32'>;
}

/** An offset from `page` that lies in no page: the next fetch translates pc anew. */
export const OUTSIDE = 0x1000;
/** From here on, an instruction may reach into the next page. */
export const LAST_IN_PAGE = 0xffe;

export const ABSOLUTE = i32Constant(0);
const PAGE_MASK = 0xfffn ^ ((1n << 64n) - 1n);

/** Where control goes when it leaves an instruction. */
export interface Labels {
  /** The next instruction is at ip. */
  readonly next: Label;
  /** The same, and code that begins there may have been translated: a jump backwards in the page. */
  readonly back: Label;
  /** A helper has changed pc, mode or countdown. */
  readonly event: Label;
}

/** Locals for intermediate values, used anew by each instruction. */
export class Temporaries {
  private readonly pool: Record<ValueType, Local[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  private used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };

  constructor(private readonly builder: FunctionBuilder) {}

  reset(): void {
    this.used = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };
  }

  take<T extends ValueType>(type: T): Local<T> {
    const index = this.used[type]++;
    const known = this.pool[type][index];
    if (known) return known as Local<T>;
    const fresh = this.builder.local(type);
    this.pool[type].push(fresh);
    return fresh;
  }
}

export class InterpreterEmitter extends Emitter {
  /** True once control has left the instruction for good. */
  ended = false;

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly registers: Registers,
    private readonly temporaries: Temporaries,
    private readonly callees: ReadonlyMap<string, Callee>,
    private readonly labels: Labels,
    private readonly instruction: Instruction,
  ) {
    super();
    temporaries.reset();
  }

  get rs1(): I64 {
    return this.register('rs1', at.X);
  }
  get rs2(): I64 {
    return this.register('rs2', at.X);
  }
  get fs1(): I64 {
    return this.register('rs1', at.F);
  }
  get fs2(): I64 {
    return this.register('rs2', at.F);
  }
  get fs3(): I64 {
    return this.register('rs3', at.F);
  }
  get imm(): I64 {
    const operand = this.operand('imm');
    if (typeof operand === 'number') return i64Constant(BigInt(operand));
    const value = this.extract(operand);
    return operand.signed ? extendSigned(value) : extendUnsigned(value);
  }
  field(name: string): I32 {
    const operand = this.operand(name);
    return typeof operand === 'number' ? i32Constant(operand) : this.extract(operand);
  }
  get pc(): I64 {
    return binary('add', extendUnsigned(this.registers.ip.get), this.registers.delta.get);
  }
  get next(): I64 {
    return binary('add', this.pc, i64Constant(BigInt(this.instruction.encoding.length)));
  }
  get word(): I32 {
    const { word } = this.registers;
    return this.instruction.encoding.length === 4 ? word.get : binary('and', word.get, i32Constant(0xffff));
  }

  rd(value: I64): void {
    const operand = this.operand('rd');
    if (operand === 0) return;
    this.writeRegister(operand, at.X, value);
    const neverZero =
      typeof operand === 'number' ||
      operand.bias > 0 ||
      this.instruction.encoding.excluded.get('rd')?.includes(0);
    // x0 is written like any other register and put right at once: cheaper than a test.
    if (!neverZero) this.builder.store('i64.store', ABSOLUTE, i64Constant(0n), at.X);
  }

  fd(value: I64): void {
    this.writeRegister(this.operand('rd'), at.F, value);
  }

  load(kind: LoadKind, address: I64): I64 {
    const { size, operator, extend } = loads[kind];
    const virtual = this.bind(address);
    const entry = this.tlbEntry(virtual);
    const value = this.temporaries.take('i64');
    this.builder.if(
      this.hit(virtual, entry, size, 0),
      () => this.builder.set(value, load(operator, this.host(virtual, entry, 0)) as I64),
      () => {
        const raw = this.effect('load_slow', [virtual, i32Constant(size)]) as I64;
        this.builder.set(value, extend ? (convert(extend, raw) as I64) : raw);
      },
    );
    return value.get;
  }

  store(kind: StoreKind, address: I64, value: I64): void {
    const { size, operator } = stores[kind];
    const virtual = this.bind(address);
    const entry = this.tlbEntry(virtual);
    this.builder.if(
      this.hit(virtual, entry, size, at.TLB_WRITE),
      () => this.builder.store(operator, this.host(virtual, entry, at.TLB_WRITE), value),
      () => void this.effect('store_slow', [virtual, i32Constant(size), value]),
    );
  }

  atomic(kind: AtomicKind, address: I64, update: (old: I64) => I64): I64 {
    const { size, operator } = stores[kind];
    const virtual = this.bind(address);
    const entry = this.tlbEntry(virtual);
    const host = this.temporaries.take('i32');
    this.builder.if(
      this.hit(virtual, entry, size, at.TLB_WRITE),
      () => this.builder.set(host, this.host(virtual, entry, at.TLB_WRITE)),
      () => this.builder.set(host, this.effect('atomic_address', [virtual, i32Constant(size)]) as I32),
    );
    const old = this.bind(load(loads[kind].operator, host.get) as I64);
    this.builder.store(operator, host.get, update(old));
    return old;
  }

  branch(condition: I32): void {
    this.builder.if(condition, () => this.jump());
    this.ended = false;
  }

  jump(): void {
    const { ip } = this.registers;
    const offset = this.temporaries.take('i32');
    this.builder.set(ip, binary('add', ip.get, offset.tee(wrap(this.imm))));
    this.builder.branchIf(compare('lt_s', offset.get, i32Constant(0)), this.labels.back);
    this.builder.branch(this.labels.next);
    this.ended = true;
  }

  jumpTo(target: I64): void {
    const { ip, page, delta } = this.registers;
    const { builder } = this;
    builder.set(ip, binary('add', page.get, i32Constant(OUTSIDE)));
    builder.set(delta, binary('sub', target, extendUnsigned(ip.get)));
    builder.branch(this.labels.next);
    this.ended = true;
  }

  call(helper: string, args: readonly Expression[]): Expression {
    return helpers.get(helper)?.effect ? this.effect(helper, args)! : this.callee(helper).call(args);
  }

  perform(helper: string, args: readonly Expression[]): void {
    this.effect(helper, args);
  }

  requireFloat(): void {
    const dirty = binary('and', load('i32.load', ABSOLUTE, at.MSTATUS) as I32, i32Constant(0x6000));
    this.builder.if(
      compare('ne', dirty, i32Constant(0x6000)),
      () => void this.effect('float_enabled', [this.word]),
    );
  }

  redirect(): void {
    this.builder.branch(this.labels.event);
    this.ended = true;
  }

  let<T extends IntegerType>(value: Expression<T>): Expression<T> {
    return this.bind(value);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.builder.if(condition, then, otherwise);
  }

  /** Calls a helper that needs pc and the countdown in memory, and may have trapped or asked for a poll. */
  effect(helper: string, args: readonly Expression[]): Integer | undefined {
    const { builder, registers } = this;
    builder.store('i64.store', ABSOLUTE, this.pc, at.PC);
    builder.store('i32.store', ABSOLUTE, registers.countdown.get, at.COUNTDOWN);
    const callee = this.callee(helper);
    const type = callee.signature.result as IntegerType | undefined;
    const result = type && this.temporaries.take(type);
    if (result) builder.set(result, callee.call(args) as Integer);
    else builder.leave(callee.call(args));
    builder.branchIf(load('i32.load', ABSOLUTE, at.TRAPPED) as I32, this.labels.event);
    builder.set(registers.countdown, load('i32.load', ABSOLUTE, at.COUNTDOWN) as I32);
    // mstatus says in which mode loads and stores are.
    if (helper === 'csr') builder.set(registers.dataTlb, load('i32.load', ABSOLUTE, at.DATA_TLB) as I32);
    return result?.get;
  }

  /** Goes on with the instruction that follows. */
  finish(): void {
    const { ip } = this.registers;
    this.builder.set(ip, binary('add', ip.get, i32Constant(this.instruction.encoding.length)));
    this.builder.branch(this.labels.next);
  }

  private callee(helper: string): Callee {
    const callee = this.callees.get(helper);
    if (!callee)
      throw new Error(`${this.instruction.mnemonic} calls "${helper}", which is not in the table of helpers`);
    return callee;
  }

  private bind<T extends IntegerType>(value: Expression<T>): Expression<T> {
    const local = this.temporaries.take(value.type);
    this.builder.set(local, value);
    return local.get;
  }

  private operand(name: string): Operand | number {
    const implied = this.instruction.implied[name];
    if (implied !== undefined) return implied;
    const operand = this.instruction.encoding.operands.get(name);
    if (!operand) throw new Error(`${this.instruction.mnemonic} has no operand ${name}`);
    return operand;
  }

  private register(name: string, base: number): I64 {
    const operand = this.operand(name);
    if (operand === 0 && base === at.X) return i64Constant(0n);
    const [address, offset] = this.registerAddress(operand, base);
    return load('i64.load', address, offset) as I64;
  }

  private writeRegister(operand: Operand | number, base: number, value: I64): void {
    const [address, offset] = this.registerAddress(operand, base);
    this.builder.store('i64.store', address, value, offset);
  }

  /** Registers are eight bytes: the field is extracted already multiplied by eight. */
  private registerAddress(operand: Operand | number, base: number): [I32, number] {
    if (typeof operand === 'number') return [ABSOLUTE, base + 8 * operand];
    const [piece] = operand.pieces as [Piece];
    return [this.piece({ ...piece, to: piece.to + 3 }, false), base + 8 * operand.bias];
  }

  private extract(operand: Operand): I32 {
    const top = Math.max(...operand.pieces.map(({ to, width }) => to + width));
    const parts = operand.pieces.map((piece) =>
      this.piece(piece, operand.signed && piece.to + piece.width === top),
    );
    const value = parts.reduce((sum, part) => binary('or', sum, part));
    return operand.bias ? binary('add', value, i32Constant(operand.bias)) : value;
  }

  /** Some bits of the word moved to their place, the uppermost of them extended where `signed`. */
  private piece({ from, to, width }: Piece, signed: boolean): I32 {
    const word = this.registers.word.get;
    if (signed) {
      const left = 32 - from - width;
      const raised = left === 0 ? word : binary('shl', word, i32Constant(left));
      const right = left + from - to;
      const lowered = right === 0 ? raised : binary('shr_s', raised, i32Constant(right));
      return to === 0 ? lowered : binary('and', lowered, i32Constant(-1 << to));
    }
    const moved =
      from === to ? word : binary(from > to ? 'shr_u' : 'shl', word, i32Constant(Math.abs(from - to)));
    if (from > to && from + width === 32 && to === 0) return moved;
    return binary('and', moved, i32Constant(((2 ** width - 1) << to) | 0));
  }

  private tlbEntry(virtual: I64): I32 {
    const mask = (at.TLB_ENTRIES - 1) * at.TLB_ENTRY;
    const index = binary('and', binary('shr_u', wrap(virtual), i32Constant(12 - 4)), i32Constant(mask));
    return this.bind(binary('add', this.registers.dataTlb.get, index));
  }

  /** The size in the mask makes misaligned accesses miss. */
  private hit(virtual: I64, entry: I32, size: number, kind: number): I32 {
    const tag = binary('and', virtual, i64Constant(PAGE_MASK | BigInt(size - 1)));
    return compare('eq', tag, load('i64.load', entry, kind) as I64);
  }

  private host(virtual: I64, entry: I32, kind: number): I32 {
    return binary('add', wrap(virtual), load('i32.load', entry, kind + 8) as I32);
  }
}
