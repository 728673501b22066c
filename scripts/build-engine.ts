/**
 * Makes `engine/generated/`: the hart's helpers compiled from AssemblyScript,
 * and the interpreters of the usual harts, both as TypeScript
 * modules that hold the bytes: bundlers and tests then need no loader, and a
 * worker starts without generating anything.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateInterpreter } from '../engine/cpu/interpreter/generate';
import { defaultExtensions, selectable } from '../engine/isa/extensions';
import { instructionsOf, ofModels } from '../engine/isa/table';

const root = join(__dirname, '..');
const folder = join(root, 'engine/generated');
const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function write(name: string, exported: Readonly<Record<string, unknown>>): void {
  const lines = Object.entries(exported).map(
    ([constant, value]) => `export const ${constant} = ${JSON.stringify(value)};`,
  );
  writeFileSync(join(folder, name), `// Made by scripts/build-engine.ts.\n${lines.join('\n')}\n`);
}

function interpreter(extensions: readonly string[]) {
  const { module, decoder } = generateInterpreter(instructionsOf(extensions));
  return { extensions: extensions.join(), module: base64(module), index: base64(decoder.index) };
}

function compileHelpers(): Uint8Array {
  const scratch = mkdtempSync(join(tmpdir(), 'hv-helpers-'));
  try {
    const output = join(scratch, 'helpers.wasm');
    // Memory is the guest's; the module's few constants lie where layout.ts says.
    const memory = ['--importMemory', '--memoryBase', '1024'];
    const options = [
      '-O3',
      '--runtime',
      'stub',
      '--noAssert',
      '--enable',
      'simd',
      ...memory,
      '--baseDir',
      root,
      '--outFile',
      output,
    ];
    execFileSync(process.execPath, [compiler, 'engine/cpu/assembly/index.ts', ...options], {
      stdio: 'inherit',
    });
    return readFileSync(output);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

try {
  mkdirSync(folder, { recursive: true });
  write('helpers.ts', { helpersModule: base64(compileHelpers()) });
  // What guests have unless they choose, ported kernels among them, and all there is.
  const sets = [defaultExtensions, [...defaultExtensions, ...ofModels.map(({ name }) => name)], selectable];
  write('interpreter.ts', { interpreters: sets.map(interpreter) });
} catch (error) {
  process.stderr.write(
    `the engine was not built: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}
