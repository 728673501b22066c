/**
 * What an instruction does, found out by running its semantics once with an
 * emitter that only takes notes: so the table says it nowhere a second time.
 */
import { type AtomicKind, Emitter, type LoadKind, type StoreKind } from '../../isa/emitter';
import type { Instruction } from '../../isa/instruction';
import { type Expression, type I32, type I64, i32Constant, i64Constant } from '../../wasm/expression';
import type { IntegerType } from '../../wasm/opcodes';
import { helpers } from '../helpers';

export type RegisterOperand = 'rs1' | 'rs2' | 'fs1' | 'fs2' | 'fs3';

export interface Facts {
  readonly reads: ReadonlySet<RegisterOperand>;
  /** The file that `rd` is written in; undefined when nothing is written. */
  readonly writes: 'x' | 'f' | undefined;
  /** Loads, stores or atomics, which settle most addresses inline. */
  readonly memory: boolean;
  /** Helpers with an effect that are called in any case. */
  readonly effects: readonly string[];
  /** All helpers that may be called. */
  readonly helpers: ReadonlySet<string>;
  readonly float: boolean;
  readonly control: 'none' | 'branch' | 'jump' | 'jumpTo' | 'redirect';
}

const known = new WeakMap<Instruction, Facts>();

export function factsOf(instruction: Instruction): Facts {
  let facts = known.get(instruction);
  if (!facts) {
    const notes = new Notes();
    instruction.semantics(notes);
    facts = notes;
    known.set(instruction, facts);
  }
  return facts;
}

/** Left to the interpreter: a helper reads registers where only the interpreter keeps them, in their cells. */
export const isInterpreted = ({ effects }: Facts): boolean =>
  effects.some((helper) => helpers.get(helper)?.cells);

const ANY = i64Constant(0n);
const ANY32 = i32Constant(0);

class Notes extends Emitter implements Facts {
  readonly reads = new Set<RegisterOperand>();
  writes: 'x' | 'f' | undefined;
  memory = false;
  readonly effects: string[] = [];
  readonly helpers = new Set<string>();
  float = false;
  control: Facts['control'] = 'none';

  get rs1(): I64 {
    return this.read('rs1');
  }
  get rs2(): I64 {
    return this.read('rs2');
  }
  get fs1(): I64 {
    return this.read('fs1');
  }
  get fs2(): I64 {
    return this.read('fs2');
  }
  get fs3(): I64 {
    return this.read('fs3');
  }
  readonly imm = ANY;
  readonly pc = ANY;
  readonly next = ANY;
  readonly word = ANY32;
  field(): I32 {
    return ANY32;
  }
  rd(): void {
    this.writes = 'x';
  }
  fd(): void {
    this.writes = 'f';
  }
  load(_kind: LoadKind, _address: I64): I64 {
    this.memory = true;
    this.helpers.add('settle_load');
    return ANY;
  }
  store(_kind: StoreKind, _address: I64, _value: I64): void {
    this.memory = true;
    this.helpers.add('settle_store');
  }
  atomic(_kind: AtomicKind, _address: I64, update: (old: I64) => I64): I64 {
    this.memory = true;
    this.helpers.add('settle_atomic');
    update(ANY);
    return ANY;
  }
  branch(): void {
    this.control = 'branch';
  }
  jump(): void {
    this.control = 'jump';
  }
  jumpTo(): void {
    this.control = 'jumpTo';
  }
  call(helper: string): Expression {
    const row = helpers.get(helper);
    this.helpers.add(helper);
    if (row?.effect) this.effects.push(helper);
    return row?.signature.result === 'i32' ? ANY32 : ANY;
  }
  perform(helper: string): void {
    this.helpers.add(helper);
    this.effects.push(helper);
  }
  requireFloat(): void {
    this.float = true;
  }
  override roundingMode(): I32 {
    return ANY32;
  }
  redirect(): void {
    this.control = 'redirect';
  }
  let<T extends IntegerType>(value: Expression<T>): Expression<T> {
    return value;
  }
  if(_condition: I32, then: () => void, otherwise?: () => void): void {
    then();
    otherwise?.();
  }
  private read(operand: RegisterOperand): I64 {
    this.reads.add(operand);
    return ANY;
  }
}
