/**
 * One function body under construction: locals, statements and structured
 * control flow with named labels (relative depths are computed here).
 */
import { Bytes } from './bytes';
import { unsigned } from './encoding';
import { type Code, Expression, type I32, storeCode } from './expression';
import { type MemoryOperator, type ValueType, control, valueTypeCode } from './opcodes';

/** A branch target: the end of a block, or the head of a loop. */
export class Label {
  constructor(readonly depth: number) {}
}

export class Local<T extends ValueType = ValueType> {
  readonly get: Expression<T>;
  constructor(
    readonly index: number,
    readonly type: T,
  ) {
    this.get = new Expression(type, [control.localGet, ...unsigned(index)]);
  }
  tee(value: Expression<T>): Expression<T> {
    return new Expression(this.type, [value.code, control.localTee, ...unsigned(this.index)]);
  }
}

export class FunctionBuilder {
  private readonly code = new Bytes();
  private readonly localTypes: ValueType[] = [];
  private depth = 0;
  /** Where conditional branches stand that are hardly ever taken. */
  private readonly rare: number[] = [];

  constructor(private readonly parameters: readonly ValueType[]) {}

  parameter<T extends ValueType>(index: number): Local<T> {
    return new Local(index, this.parameters[index] as T);
  }

  local<T extends ValueType>(type: T): Local<T> {
    this.localTypes.push(type);
    return new Local(this.parameters.length + this.localTypes.length - 1, type);
  }

  set<T extends ValueType>(local: Local<T>, value: Expression<T>): void {
    this.push(value.code);
    this.push([control.localSet, ...unsigned(local.index)]);
  }

  store(operator: MemoryOperator, address: I32, value: Expression, offset = 0): void {
    this.push(storeCode(operator, address, value, offset));
  }

  /** Leaves the expression's value on the stack, e.g. as the function's result. */
  leave(value: Expression): void {
    this.push(value.code);
  }

  drop(value: Expression): void {
    this.push(value.code);
    this.code.push(control.drop);
  }

  block(body: (end: Label) => void): void {
    this.nest(control.block, body);
  }

  loop(body: (head: Label) => void): void {
    this.nest(control.loop, body);
  }

  /** As `if`, for what hardly ever holds: its code is laid out of the way, where the engine takes hints. */
  ifRarely(condition: I32, then: () => void): void {
    this.push(condition.code);
    this.rare.push(this.code.length);
    this.nest(control.if, then);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.push(condition.code);
    this.nest(control.if, () => {
      then();
      if (otherwise) {
        this.code.push(control.else);
        otherwise();
      }
    });
  }

  branch(label: Label): void {
    this.push([control.br, ...unsigned(this.depth - label.depth)]);
  }

  branchIf(condition: I32, label: Label): void {
    this.push(condition.code);
    this.push([control.brIf, ...unsigned(this.depth - label.depth)]);
  }

  /** As `branchIf`, for what hardly ever holds. */
  branchRarely(condition: I32, label: Label): void {
    this.push(condition.code);
    this.rare.push(this.code.length);
    this.push([control.brIf, ...unsigned(this.depth - label.depth)]);
  }

  branchTable(index: I32, labels: readonly Label[], fallback: Label): void {
    this.push(index.code);
    this.push([control.brTable, ...unsigned(labels.length)]);
    for (const label of labels) this.push(unsigned(this.depth - label.depth));
    this.push(unsigned(this.depth - fallback.depth));
  }

  return(value: Expression): void {
    this.push(value.code);
    this.code.push(control.return);
  }

  /** Ends the function by calling another in its place: `code` is a tail call. */
  tail(code: Code): void {
    this.push(code);
  }

  unreachable(): void {
    this.code.push(control.unreachable);
  }

  /** The body as the code section holds it (5.5.13), without its size. */
  bytes(): Uint8Array {
    const body = new Bytes();
    body.append(this.locals());
    body.append(this.code.view());
    body.push(control.end);
    return body.view();
  }

  /** Offsets within `bytes` of the branches that are hardly ever taken. */
  rareBranches(): number[] {
    const start = this.locals().length;
    return this.rare.map((place) => start + place);
  }

  private locals(): number[] {
    const locals = this.localTypes.map((type) => [1, valueTypeCode[type]]);
    return [...unsigned(locals.length), ...locals.flat()];
  }

  private nest(opcode: number, body: (label: Label) => void): void {
    this.code.push(opcode);
    this.code.push(control.emptyBlockType);
    this.depth += 1;
    body(new Label(this.depth));
    this.depth -= 1;
    this.code.push(control.end);
  }

  private push(code: Code): void {
    this.code.append(code);
  }
}
