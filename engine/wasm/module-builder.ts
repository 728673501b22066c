/** A module that imports one memory and functions, and exports functions. WebAssembly core specification, 5.5. */
import { name, unsigned, vector } from './encoding';
import { Expression } from './expression';
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
    const code = args.flatMap((argument) => argument.code as number[]);
    return new Expression(this.signature.result ?? 'i32', [...code, control.call, ...unsigned(this.index)]);
  }
}

const FUNCTION_TYPE = 0x60;
const section = (id: number, body: readonly number[]): number[] => [id, ...unsigned(body.length), ...body];

export class ModuleBuilder {
  private readonly types: number[][] = [];
  private readonly imports: number[][] = [];
  private readonly functions: { type: number; body: FunctionBuilder; exported: string }[] = [];
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

  define(exported: string, signature: Signature, body: FunctionBuilder): void {
    this.functions.push({ type: this.type(signature), body, exported });
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bodies = this.functions.map(({ body }) => body.bytes());
    const code = [...unsigned(bodies.length)];
    for (const body of bodies) {
      code.push(...unsigned(body.length));
      for (const byte of body) code.push(byte);
    }
    const exports = this.functions.map((f, i) => [
      ...name(f.exported),
      0x00,
      ...unsigned(this.importedFunctions + i),
    ]);
    return Uint8Array.from(
      [
        [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
        section(1, vector(this.types)),
        section(2, vector(this.imports)),
        section(3, vector(this.functions.map(({ type }) => unsigned(type)))),
        section(7, vector(exports)),
        [10, ...unsigned(code.length)],
        code,
      ].flat(),
    );
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
