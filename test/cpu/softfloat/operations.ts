/** What an operand's or a result's 64 bits hold. Shorter kinds are in the low bits, the rest being zero. */
export type Kind = 'f16' | 'f32' | 'f64' | 'i32' | 'u32' | 'i64' | 'u64';

export interface Operation {
  /** The exported function's name; also, behind `OP_`, the operation's number in the C programs. */
  readonly name: string;
  readonly operands: readonly Kind[];
  /** The kind of the result's bits in WebAssembly: integers and truth values are all 64 bits. */
  readonly result: 'f16' | 'f32' | 'f64' | 'u64';
  /** Whether the last argument is a rounding mode. */
  readonly rounds: boolean;
  /** Whether every IEEE 754 processor has it with the same results, NaNs apart. */
  readonly universal: boolean;
}

const formats = ['f16', 'f32', 'f64'] as const;
const integers = ['i32', 'u32', 'i64', 'u64'] as const;

/** Every function of the module. An operation's number is its index. */
export const operations: readonly Operation[] = [
  ...formats.flatMap((format): Operation[] => [
    ...['add', 'sub', 'mul', 'div'].map((name) =>
      operation(`${format}_${name}`, [format, format], format, true, format !== 'f16'),
    ),
    operation(`${format}_sqrt`, [format], format, true, format !== 'f16'),
    operation(`${format}_fma`, [format, format, format], format, true, format !== 'f16'),
    ...['min', 'max'].map((name) => operation(`${format}_${name}`, [format, format], format, false)),
    ...['eq', 'lt', 'le'].map((name) => operation(`${format}_${name}`, [format, format], 'u64', false)),
    operation(`${format}_class`, [format], 'u64', false),
    ...integers.map((integer) => operation(`${format}_to_${integer}`, [format], 'u64', true)),
    ...integers.map((integer) => operation(`${integer}_to_${format}`, [integer], format, true)),
  ]),
  operation('f32_to_f64', ['f32'], 'f64', false),
  operation('f64_to_f32', ['f64'], 'f32', true),
  operation('f16_to_f32', ['f16'], 'f32', true),
  operation('f16_to_f64', ['f16'], 'f64', true),
  operation('f32_to_f16', ['f32'], 'f16', true),
  operation('f64_to_f16', ['f64'], 'f16', true),
];

function operation(
  name: string,
  operands: Kind[],
  result: Operation['result'],
  rounds: boolean,
  universal = false,
): Operation {
  return { name, operands, result, rounds, universal };
}

/** A C header that numbers the operations. */
export function operationsHeader(): string {
  return `enum operation { ${operations.map(({ name }) => `OP_${name}`).join(', ')} };\n`;
}

export const roundingModes = ['RNE', 'RTZ', 'RDN', 'RUP', 'RMM'] as const;

export const NX = 1;
export const NV = 16;

/** One operation to perform. `operands` always has three, unused ones zero. */
export interface Trial {
  readonly operation: number;
  readonly roundingMode: number;
  readonly operands: readonly [bigint, bigint, bigint];
}
