/** The part of the WebAssembly JavaScript interface that the engine uses; Node's types leave it to the DOM's. */
declare namespace WebAssembly {
  function validate(bytes: BufferSource): boolean;
  class Module {
    constructor(bytes: BufferSource);
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Exports;
  }
  type Exports = Record<string, unknown>;
  class Global<T extends 'i32' | 'i64' = 'i32'> {
    constructor(descriptor: { value: T; mutable?: boolean }, initial?: number | bigint);
    value: T extends 'i64' ? bigint : number;
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number }, value?: unknown);
    readonly length: number;
    grow(delta: number, value?: unknown): number;
    set(index: number, value: unknown): void;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
  }
  type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
}
