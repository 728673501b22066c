import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { operations, operationsHeader } from './operations';
import type { Trial } from './operations';

const root = resolve(__dirname, '../../..');

export interface Outcome {
  /** Bits of the result; those of shorter formats zero-extended. */
  readonly result: bigint;
  /** As in fflags. */
  readonly flags: number;
}

type Bits = number | bigint;

/** What an instance exports, by name. `flags` is a mutable global. */
export interface SoftFloat {
  readonly flags: { value: number };
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly [name: string]: unknown;
}

/** The part of the WebAssembly interface in use here, which TypeScript declares only along with a browser's. */
const webAssembly = (
  globalThis as unknown as {
    WebAssembly: {
      Module: new (code: Uint8Array) => object;
      Instance: new (module: object) => { readonly exports: unknown };
    };
  }
).WebAssembly;

/** Compiles AssemblyScript as the engine's build does and instantiates it; it must need no imports. */
export function compileAssembly(source: string, directory: string): SoftFloat {
  const output = join(directory, 'softfloat.wasm');
  const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const options = ['-O3', '--runtime', 'stub', '--noAssert'];
  execFileSync(process.execPath, [compiler, source, '-o', output, ...options], { cwd: root, stdio: 'pipe' });
  return new webAssembly.Instance(new webAssembly.Module(readFileSync(output))).exports as SoftFloat;
}

export const softFloatSource = 'engine/cpu/assembly/softfloat/index.ts';

/** Performs trials on the compiled module, beginning each with `flagsBefore` already accrued. */
export function performer(exports: SoftFloat): (trial: Trial, flagsBefore: number) => Outcome {
  const { flags } = exports;
  const rows = operations.map((row) => ({ row, call: exports[row.name] as (...operands: Bits[]) => Bits }));
  return ({ operation, roundingMode, operands }, flagsBefore) => {
    const found = rows[operation];
    if (found === undefined) throw new RangeError(`no operation ${operation}`);
    const { row, call } = found;
    const values: Bits[] = row.operands.map((kind, index) => {
      const bits = operands[index] as bigint;
      return kind.endsWith('64') ? bits : Number(bits);
    });
    if (row.rounds) values.push(roundingMode);
    flags.value = flagsBefore;
    const result = call(...values);
    return {
      result: typeof result === 'bigint' ? BigInt.asUintN(64, result) : BigInt(result >>> 0),
      flags: flags.value,
    };
  };
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** A C program that performs trials by hardware, or QEMU's. */
export interface Reference {
  /** Why it cannot run on this machine. */
  readonly missing: string | undefined;
  /** The outcome of each trial in turn; undefined for what the machine has no instruction for. */
  perform(trials: readonly Trial[], directory: string): (Outcome | undefined)[];
}

export const hardware: Reference = {
  missing:
    process.arch !== 'x64'
      ? `the reference is for x86-64, this machine is ${process.arch}`
      : isInstalled('gcc')
        ? undefined
        : 'gcc is not installed',
  perform: (trials, directory) =>
    run(trials, directory, 'reference.c', ['gcc', '-O1', '-frounding-math'], (program) => [program]),
};

const crossCompiler = 'riscv64-linux-gnu-gcc';
const emulator = 'qemu-riscv64';

export const emulated: Reference = {
  missing: [crossCompiler, emulator]
    .filter((command) => !isInstalled(command))
    .map((command) => `${command} is not installed`)
    .at(0),
  perform: (trials, directory) =>
    run(trials, directory, 'riscv.c', [crossCompiler, '-O1', '-static', '-march=rv64gc'], (program) => [
      emulator,
      '-cpu',
      'rv64,Zfh=true',
      program,
    ]),
};

const trialSize = 32;
const outcomeSize = 16;
const unsupported = 2n ** 64n - 1n;

function run(
  trials: readonly Trial[],
  directory: string,
  source: string,
  compiler: readonly [string, ...string[]],
  commandLine: (program: string) => [string, ...string[]],
): (Outcome | undefined)[] {
  writeFileSync(join(directory, 'operations.h'), operationsHeader());
  const program = join(directory, source.replace('.c', ''));
  const [compile, ...options] = compiler;
  execFileSync(compile, [...options, '-I', directory, join(__dirname, source), '-o', program], {
    stdio: 'pipe',
  });

  const input = new DataView(new ArrayBuffer(trials.length * trialSize));
  trials.forEach(({ operation, roundingMode, operands }, index) => {
    input.setUint32(index * trialSize, operation, true);
    input.setUint32(index * trialSize + 4, roundingMode, true);
    operands.forEach((bits, n) => input.setBigUint64(index * trialSize + 8 + 8 * n, bits, true));
  });
  const [command, ...parameters] = commandLine(program);
  const output = execFileSync(command, parameters, {
    input: new Uint8Array(input.buffer),
    maxBuffer: trials.length * outcomeSize + 1,
  });
  if (output.length !== trials.length * outcomeSize) {
    throw new Error(
      `${source} gave ${output.length} bytes for ${trials.length} trials of ${outcomeSize} each`,
    );
  }
  return trials.map((_, index) => {
    const flags = output.readBigUInt64LE(index * outcomeSize + 8);
    if (flags === unsupported) return undefined;
    return { result: output.readBigUInt64LE(index * outcomeSize), flags: Number(flags) };
  });
}
