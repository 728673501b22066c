/**
 * Compiles the hart's helpers (AssemblyScript) into `engine/generated/`, as a
 * TypeScript module that holds the WebAssembly bytes: bundlers and tests then
 * need no loader.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..');
const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
const target = join(root, 'engine/generated/helpers.ts');

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
    ...memory,
    '--baseDir',
    root,
    '--outFile',
    output,
  ];
  execFileSync(process.execPath, [compiler, 'engine/cpu/assembly/index.ts', ...options], {
    stdio: 'inherit',
  });
  mkdirSync(dirname(target), { recursive: true });
  const text = readFileSync(output).toString('base64');
  const note = '// Made by scripts/build-engine.ts from engine/cpu/assembly.';
  writeFileSync(target, `${note}\nexport const helpersModule = '${text}';\n`);
} catch {
  process.stderr.write("the hart's helpers do not compile: see above\n");
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
