/**
 * A module that imports one memory, functions and perhaps a table, and exports
 * functions or puts them into the table. WebAssembly core specification, 5.5.
 */
import { Bytes } from './bytes';
import { name, unsigned, vector } from './encoding';
import { type Code, Expression, type I32, i32Constant } from './expression';
import type { FunctionBuilder } from './function-builder';
import { type ValueType, control, valueTypeCode } from './opcodes';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly result?: ValueType;
}

/** A function that code of this module can call. */
export class Callee {
  constructor(
    readonly index: number,
    readonly signature: Signature,
  ) {}

  /** The call's code; typed by the result where there is one. */
  call(args: readonly Expression[]): Expression {
    const code = args.map((argument) => argument.code);
    return new Expression(this.signature.result ?? 'i32', [code, control.call, ...unsigned(this.index)]);
  }
}

/** The type of functions that are called through the imported table, by slot. */
export class TableType {
  constructor(
    readonly index: number,
    readonly signature: Signature,
  ) {}

  call(slot: I32, args: readonly Expression[]): Expression {
    return new Expression(this.signature.result ?? 'i32', this.code(control.callIndirect, slot, args));
  }
  /** Calls in place of the caller: its frame is gone ("return_call_indirect"). */
  tailCall(slot: I32, args: readonly Expression[]): Code {
    return this.code(control.returnCallIndirect, slot, args);
  }

  private code(operator: number, slot: I32, args: readonly Expression[]): Code {
    const operands = args.map((argument) => argument.code);
    return [operands, slot.code, operator, ...unsigned(this.index), 0];
  }
}

const FUNCTION_REFERENCE = 0x70;
const FUNCTION_TYPE = 0x60;
const section = (id: number, body: readonly number[]): number[] => [id, ...unsigned(body.length), ...body];

export class ModuleBuilder {
  private readonly types: number[][] = [];
  private readonly imports: number[][] = [];
  private readonly functions: { type: number; body: FunctionBuilder }[] = [];
  private readonly exports: number[][] = [];
  private readonly elements: number[][] = [];
  private importedFunctions = 0;

  /** Imports `module.memory`, without a maximum, of at least `pages` WebAssembly pages. */
  importMemory(module: string, pages: number): void {
    this.imports.push([...name(module), ...name('memory'), 0x02, 0x00, ...unsigned(pages)]);
  }

  /** All imports must come before the first `define`. */
  importFunction(module: string, field: string, signature: Signature): Callee {
    this.imports.push([...name(module), ...name(field), 0x00, ...unsigned(this.type(signature))]);
    return new Callee(this.importedFunctions++, signature);
  }

  /** Imports `module.table`, of functions, without a maximum. */
  importTable(module: string): void {
    this.imports.push([...name(module), ...name('table'), 0x01, FUNCTION_REFERENCE, 0x00, ...unsigned(0)]);
  }

  tableType(signature: Signature): TableType {
    return new TableType(this.type(signature), signature);
  }

  define(exported: string, signature: Signature, body: FunctionBuilder): void {
    this.exports.push([...name(exported), 0x00, ...unsigned(this.add(signature, body))]);
  }

  /** Defines a function that the table holds at `slot` once the module is instantiated. */
  place(slot: number, signature: Signature, body: FunctionBuilder): void {
    const index = this.add(signature, body);
    this.elements.push([0, ...i32Constant(slot).code.flat(), control.end, 1, ...unsigned(index)] as number[]);
  }

  /** Custom section of the branch hinting proposal: which conditional branches are not likely to be taken. */
  private branchHints(): number[] {
    const functions = this.functions.flatMap(({ body }, i) => {
      const rare = body.rareBranches();
      if (rare.length === 0) return [];
      const hints = rare.map((offset) => [...unsigned(offset), 1, 0]);
      return [[...unsigned(this.importedFunctions + i), ...vector(hints)]];
    });
    if (functions.length === 0) return [];
    return section(0, [...name('metadata.code.branch_hint'), ...vector(functions)]);
  }

  private add(signature: Signature, body: FunctionBuilder): number {
    this.functions.push({ type: this.type(signature), body });
    return this.importedFunctions + this.functions.length - 1;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bodies = new Bytes();
    bodies.append(unsigned(this.functions.length));
    for (const { body } of this.functions) {
      const bytes = body.bytes();
      bodies.append(unsigned(bytes.length));
      bodies.append(bytes);
    }
    const module = new Bytes();
    module.append([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    module.append(section(1, vector(this.types)));
    module.append(section(2, vector(this.imports)));
    module.append(section(3, vector(this.functions.map(({ type }) => unsigned(type)))));
    module.append(section(7, vector(this.exports)));
    if (this.elements.length) module.append(section(9, vector(this.elements)));
    module.append(this.branchHints());
    module.append([10, ...unsigned(bodies.length)]);
    module.append(bodies.view());
    return module.view();
  }

  private type(signature: Signature): number {
    const results = signature.result ? [valueTypeCode[signature.result]] : [];
    const parameters = signature.parameters.map((type) => valueTypeCode[type]);
    const bytes = [
      FUNCTION_TYPE,
      ...unsigned(parameters.length),
      ...parameters,
      ...unsigned(results.length),
      ...results,
    ];
    const known = this.types.findIndex((type) => type.join() === bytes.join());
    if (known >= 0) return known;
    this.types.push(bytes);
    return this.types.length - 1;
  }
}
