/**
 * Declared state to canonical bytes and back.
 *
 * A part of the machine declares what it saves as a record of typed fields;
 * the TypeScript type of its state, the encoder and the decoder follow from
 * that one declaration:
 *
 * ```ts
 * const layout = record('goldfish-rtc', 1, { alarm: u64, armed: bool });
 * type State = StateOf<typeof layout>; // { alarm: bigint; armed: boolean }
 * ```
 *
 * Canonical means one-to-one: equal states give equal bytes, and bytes that
 * decode at all encode again to themselves. So numbers are little-endian and
 * of fixed width, fields stand in declared order without gaps, and a boolean
 * is exactly 0 or 1.
 *
 * Layout of a payload: u8 length of the kind, the kind in ASCII, u16 version, fields.
 */
import { StateError } from './errors';

/** One kind of value: how it is written and read. */
export interface Field<T> {
  /** Fewest bytes that a value takes; bounds the length that a hostile list can claim. */
  readonly minimumSize: number;
  write(out: Writer, value: T): void;
  read(input: Reader): T;
}

/** A record's fields, in the order in which they are stored. */
export type Fields<T> = { readonly [K in keyof T]: Field<T[K]> };

/** A top-level declaration: a record with a kind and a version. */
export interface Layout<T> {
  readonly kind: string;
  readonly version: number;
  /** `kind@version`: what `Stateful.kind` wants. */
  readonly name: string;
  /** @throws StateError when a value is outside its field's range. */
  encode(state: T): Uint8Array;
  /** @throws StateError naming kind, field and what is wrong. The result shares no memory with the payload. */
  decode(payload: Uint8Array): T;
}

/** The state that a layout describes. */
export type StateOf<L> = L extends Layout<infer T> ? T : never;

/** Where in the record reading or writing stands, for messages. */
class Path {
  private readonly parts: (string | number)[] = [];
  constructor(private readonly owner: string) {}

  enter(part: string | number): void {
    this.parts.push(part);
  }
  leave(): void {
    this.parts.pop();
  }
  error(problem: string): StateError {
    const field = this.parts.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
    return new StateError(
      `${this.owner}${field === '' ? '' : ` field ${field.replace(/^\./, '')}`}: ${problem}`,
    );
  }
}

/** Growing little-endian output. */
export class Writer {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  private length = 0;
  readonly path: Path;

  constructor(owner: string) {
    this.path = new Path(owner);
  }

  /** Makes room for `size` bytes and returns where they go. */
  private reserve(size: number): number {
    const start = this.length;
    this.length += size;
    if (this.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.length, this.buffer.length * 2));
      larger.set(this.buffer);
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    return start;
  }

  unsigned(size: 1 | 2 | 4, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
      throw this.path.error(`${value} is not an unsigned ${8 * size}-bit number`);
    }
    const at = this.reserve(size);
    if (size === 1) this.view.setUint8(at, value);
    else if (size === 2) this.view.setUint16(at, value, true);
    else this.view.setUint32(at, value, true);
  }
  u64(value: bigint): void {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
      throw this.path.error(`${value} is not an unsigned 64-bit bigint`);
    }
    const at = this.reserve(8); // before `this.view` is read: it may be replaced
    this.view.setBigUint64(at, value, true);
  }
  raw(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length); // before `this.buffer` is read: it may be replaced
    this.buffer.set(bytes, at);
  }
  take(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}

/** Bounds-checked little-endian input. */
export class Reader {
  private position = 0;
  private readonly view: DataView;
  readonly path: Path;

  constructor(
    owner: string,
    private readonly bytes: Uint8Array,
  ) {
    this.path = new Path(owner);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }
  private advance(size: number): number {
    if (size > this.remaining) {
      throw this.path.error(`payload ends too early: ${size} bytes wanted, ${this.remaining} left`);
    }
    const start = this.position;
    this.position += size;
    return start;
  }

  unsigned(size: 1 | 2 | 4): number {
    const at = this.advance(size);
    if (size === 1) return this.view.getUint8(at);
    return size === 2 ? this.view.getUint16(at, true) : this.view.getUint32(at, true);
  }
  u64(): bigint {
    return this.view.getBigUint64(this.advance(8), true);
  }
  raw(length: number): Uint8Array {
    const at = this.advance(length);
    return this.bytes.slice(at, at + length);
  }
}

const unsigned = (size: 1 | 2 | 4): Field<number> => ({
  minimumSize: size,
  write: (out, value) => out.unsigned(size, value),
  read: (input) => input.unsigned(size),
});

export const u8 = unsigned(1);
export const u16 = unsigned(2);
export const u32 = unsigned(4);

export const u64: Field<bigint> = {
  minimumSize: 8,
  write: (out, value) => out.u64(value),
  read: (input) => input.u64(),
};

/** A natural number that a double holds exactly, 0 to 2^53 - 1: counters, addresses, sizes. */
export const count: Field<number> = {
  minimumSize: 8,
  write: (out, value) => {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw out.path.error(`${value} is not a whole number from 0 to 2^53 - 1`);
    }
    out.u64(BigInt(value));
  },
  read: (input) => {
    const value = input.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw input.path.error(`${value} is above 2^53 - 1`);
    return Number(value);
  },
};

export const bool: Field<boolean> = {
  minimumSize: 1,
  write: (out, value) => out.unsigned(1, value ? 1 : 0),
  read: (input) => {
    const value = input.unsigned(1);
    if (value > 1) throw input.path.error(`${value} is neither 0 (false) nor 1 (true)`);
    return value === 1;
  },
};

/** Any number of bytes up to 2^32 - 1. */
export const bytes: Field<Uint8Array> = {
  minimumSize: 4,
  write: (out, value) => {
    out.unsigned(4, value.length);
    out.raw(value);
  },
  read: (input) => input.raw(input.unsigned(4)),
};

/** Exactly `length` bytes. */
export const bytesOf = (length: number): Field<Uint8Array> => ({
  minimumSize: length,
  write: (out, value) => {
    if (value.length !== length) throw out.path.error(`${value.length} bytes where ${length} belong`);
    out.raw(value);
  },
  read: (input) => input.raw(length),
});

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Well-formed Unicode text, stored as UTF-8. */
export const text: Field<string> = {
  minimumSize: 4,
  write: (out, value) => {
    if (!value.isWellFormed()) throw out.path.error('text with an unpaired surrogate');
    bytes.write(out, encoder.encode(value));
  },
  read: (input) => {
    const encoded = bytes.read(input);
    try {
      return decoder.decode(encoded);
    } catch {
      throw input.path.error('text is not UTF-8');
    }
  },
};

const checkElement = (of: Field<unknown>): void => {
  if (of.minimumSize === 0) throw new TypeError('elements of a list must take at least one byte each');
};

const elements = {
  write<T>(out: Writer, of: Field<T>, values: readonly T[]): void {
    values.forEach((value, index) => {
      out.path.enter(index);
      of.write(out, value);
      out.path.leave();
    });
  },
  read<T>(input: Reader, of: Field<T>, length: number): T[] {
    const values: T[] = [];
    for (let index = 0; index < length; index++) {
      input.path.enter(index);
      values.push(of.read(input));
      input.path.leave();
    }
    return values;
  },
};

/** Any number of equal elements. */
export const list = <T>(of: Field<T>): Field<T[]> => {
  checkElement(of);
  return {
    minimumSize: 4,
    write: (out, values) => {
      out.unsigned(4, values.length);
      elements.write(out, of, values);
    },
    read: (input) => {
      const length = input.unsigned(4);
      // Checked before the loop, so that a corrupt length costs neither time nor memory.
      if (length * of.minimumSize > input.remaining) {
        throw input.path.error(
          `a list of ${length} elements does not fit into the ${input.remaining} bytes left`,
        );
      }
      return elements.read(input, of, length);
    },
  };
};

/** Exactly `length` equal elements. */
export const listOf = <T>(length: number, of: Field<T>): Field<T[]> => {
  checkElement(of);
  return {
    minimumSize: length * of.minimumSize,
    write: (out, values) => {
      if (values.length !== length) throw out.path.error(`${values.length} elements where ${length} belong`);
      elements.write(out, of, values);
    },
    read: (input) => elements.read(input, of, length),
  };
};

/** A value or nothing. */
export const optional = <T>(of: Field<T>): Field<T | undefined> => ({
  minimumSize: 1,
  write: (out, value) => {
    bool.write(out, value !== undefined);
    if (value !== undefined) of.write(out, value);
  },
  read: (input) => (bool.read(input) ? of.read(input) : undefined),
});

/** A record inside a record. */
export const nested = <T extends object>(fields: Fields<T>): Field<T> => {
  const entries = Object.entries(fields) as [keyof T & string, Field<T[keyof T & string]>][];
  return {
    minimumSize: entries.reduce((sum, [, field]) => sum + field.minimumSize, 0),
    write: (out, value) => {
      for (const [name, field] of entries) {
        out.path.enter(name);
        field.write(out, value[name]);
        out.path.leave();
      }
    },
    read: (input) => {
      const value: Partial<T> = {};
      for (const [name, field] of entries) {
        input.path.enter(name);
        value[name] = field.read(input);
        input.path.leave();
      }
      return value as T;
    },
  };
};

/**
 * Declares what a part saves. Raise `version` whenever the fields or their meaning change.
 * @param kind 1 to 255 printable ASCII characters, unique in the engine
 */
export const record = <T extends object>(kind: string, version: number, fields: Fields<T>): Layout<T> => {
  if (!/^[\x21-\x7e]{1,255}$/.test(kind)) throw new TypeError(`not a state kind: ${JSON.stringify(kind)}`);
  const name = `${kind}@${version}`;
  const body = nested(fields);
  return {
    kind,
    version,
    name,
    encode(state) {
      const out = new Writer(name);
      out.unsigned(1, kind.length);
      out.raw(encoder.encode(kind));
      out.unsigned(2, version);
      body.write(out, state);
      return out.take();
    },
    decode(payload) {
      const input = new Reader(name, payload);
      const found = String.fromCharCode(...input.raw(input.unsigned(1)));
      if (found !== kind) throw new StateError(`${name}: the payload is of kind ${JSON.stringify(found)}`);
      const foundVersion = input.unsigned(2);
      if (foundVersion !== version) {
        throw new StateError(
          `${name}: the payload is of version ${foundVersion}; this build reads ${version}`,
        );
      }
      const state = body.read(input);
      if (input.remaining !== 0)
        throw new StateError(`${name}: ${input.remaining} bytes follow the last field`);
      return state;
    },
  };
};
