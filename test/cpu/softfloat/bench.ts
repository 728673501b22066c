// Nanoseconds an operation, inside WebAssembly and without the crossing from JavaScript. Not a test: run it with
// `npx tsx test/cpu/softfloat/bench.ts`. Each operation is timed in three situations: to nearest even with flags
// cleared before each (whether the result is exact must be found out), to nearest even with NX accrued already, and
// rounding down (the exact integer ways). The last column of arithmetic rows is the host's own operation.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

import { randomFrom } from './operands';
import { operations } from './operations';
import type { Kind, Operation } from './operations';
import { compileAssembly, softFloatSource } from './programs';

const operandCount = 1024;
const iterations = 2_000_000;
const repetitions = 3;

const tables = { f32: 0, f64: 1, i32: 2, u32: 2, i64: 3, u64: 3, f16: 4 } as const;
const tableBytes = operandCount * 8;

const hostOperations: Partial<Record<string, string>> = {
  f32_add: '<f32>(x + y)',
  f32_mul: '<f32>(x * y)',
  f32_div: '<f32>(x / y)',
  f64_add: 'x + y',
  f64_mul: 'x * y',
  f64_div: 'x / y',
};

function bits(kind: Kind): string {
  return kind.replace('f', 'u');
}

function operand(kind: Kind, offset: number, type = bits(kind)): string {
  return `load<${type}>(${tables[kind] * tableBytes} + (((i + ${offset}) & ${operandCount - 1}) << 3))`;
}

function loop(name: string, before: string, expression: string): string {
  return [
    `export function ${name}(count: i32, rm: u32): u64 {`,
    '  let sum: u64 = 0;',
    `  for (let i = 0; i < count; i++) { ${before} sum += <u64>(${expression}); }`,
    '  return sum;',
    '}',
  ].join('\n');
}

function loops({ name, operands, rounds }: Operation): string {
  const parameters = operands.map((kind, index) => operand(kind, index * 7));
  const call = `softfloat.${name}(${[...parameters, ...(rounds ? ['rm'] : [])].join(', ')})`;
  const host = hostOperations[name];
  const [kind] = operands as [Kind];
  return [
    loop(`${name}_fresh`, 'clear(0);', call),
    loop(`${name}_sticky`, 'clear(1);', call),
    ...(host === undefined
      ? []
      : [
          loop(
            `${name}_host`,
            `const x = ${operand(kind, 0, kind)}, y = ${operand(kind, 7, kind)};`,
            `reinterpret<${bits(kind)}>(${host})`,
          ),
        ]),
  ].join('\n');
}

/** Ordinary numbers: within 2^-20 to 2^20, all bits of the significand random. */
function fill(memory: DataView): void {
  const random = randomFrom(1);
  for (let index = 0; index < operandCount; index++) {
    const value = (1 + random() / 2 ** 32 + random() / 2 ** 52) * 2 ** ((random() % 41) - 20);
    memory.setFloat32(tables.f32 * tableBytes + index * 8, value, true);
    memory.setFloat64(tables.f64 * tableBytes + index * 8, value, true);
    // Within 2^-10 to 2^10: the exponent's bias is 15.
    memory.setUint16(
      tables.f16 * tableBytes + index * 8,
      ((5 + (random() % 21)) << 10) | (random() & 0x3ff),
      true,
    );
    memory.setUint32(tables.i32 * tableBytes + index * 8, random(), true);
    memory.setFloat64(tables.i64 * tableBytes + index * 8, random() * random(), true);
  }
}

type Loop = (count: number, roundingMode: number) => bigint;

function measure(run: Loop | undefined, roundingMode: number): string {
  if (run === undefined) return '';
  run(iterations / 10, roundingMode);
  const times = Array.from({ length: repetitions }, () => {
    const start = process.hrtime.bigint();
    run(iterations, roundingMode);
    return Number(process.hrtime.bigint() - start) / iterations;
  });
  return Math.min(...times).toFixed(1);
}

const directory = mkdtempSync(join(tmpdir(), 'softfloat-bench-'));
try {
  const source = join(directory, 'bench.ts');
  const module = relative(directory, resolve(__dirname, '../../..', softFloatSource)).replace(/\.ts$/, '');
  const status = module.replace(/index$/, 'status');
  writeFileSync(
    source,
    [
      `import * as softfloat from '${module}';`,
      `import { clear } from './clear';`,
      'memory.grow(1);',
      ...operations.map(loops),
    ].join('\n'),
  );
  writeFileSync(
    join(directory, 'clear.ts'),
    `import * as status from '${status}';\nexport function clear(to: u32): void { status.flags = to; }\n`,
  );
  const exports = compileAssembly(source, directory);
  fill(new DataView(exports.memory.buffer));
  const run = (name: string): Loop | undefined => exports[name] as Loop | undefined;
  console.log('ns/op           RNE  NX set     RDN    host');
  for (const { name, rounds } of operations) {
    const columns = [
      measure(run(`${name}_fresh`), 0),
      measure(run(`${name}_sticky`), 0),
      rounds ? measure(run(`${name}_fresh`), 2) : '',
      measure(run(`${name}_host`), 0),
    ];
    console.log(name.padEnd(12) + columns.map((column) => column.padStart(7)).join(' '));
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
