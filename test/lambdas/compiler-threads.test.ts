/** A thread that compiles, as it is bundled: in a process of its own, which it must not keep alive. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { processors, threadCompilers } from '../../lambdas/surroundings/compiler-threads';

const root = join(__dirname, '..', '..');

/** Runs code until two orders of a loop's hart have come back, and ends without ending the thread. */
const program = `
import { Hart } from './engine/cpu/hart';
import { threadCompilers } from './lambdas/surroundings/compiler-threads';
const compiler = threadCompilers(process.argv[2], {});
const engine = { kind: 'translator' as const, threshold: 2, patience: 1, compiler };
const harts = [1, 2].map(() => {
  const hart = new Hart({ ramSize: 2 ** 20, bus: { read: () => undefined, write: () => false }, engine });
  new Uint16Array(hart.ram.buffer, hart.ram.byteOffset).set([0x0285, 0xbffd]); // c.addi t0, 1; c.j back
  hart.pc = 0x80000000n;
  return hart;
});
const ready = () => harts.every(({ translator }) => translator.counts.modules > 0);
const end = Date.now() + 60_000;
const [one, other] = harts;
function goOn(): void {
  for (const hart of harts) hart.run(1000);
  if (!ready() && Date.now() < end) return void setImmediate(goOn);
  console.log(ready(), one!.translator.compilerFailure ?? 'no failure', one!.x(5) === one!.steps / 2n, other!.x(5) > 0n);
}
goOn();
`;

test('compiles for several guests, and keeps no process alive', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'compiler-'));
  try {
    const common = { bundle: true, platform: 'node', format: 'cjs', absWorkingDir: root } as const;
    const thread = join(folder, 'compiler.js');
    await build({
      ...common,
      entryPoints: ['lambdas/surroundings/compiler-thread.ts'],
      outfile: thread,
    });
    const stdin = { contents: program, resolveDir: root, loader: 'ts' } as const;
    const main = join(folder, 'main.js');
    await build({ ...common, stdin, outfile: main });
    const run = (file: string): string =>
      execFileSync(process.execPath, [main, file], { encoding: 'utf8', timeout: 90_000 }).trim();
    expect(run(thread)).toBe('true no failure true true');
    // One that breaks is done without.
    const broken = join(folder, 'broken.js');
    writeFileSync(broken, 'throw new Error("out of order");');
    expect(run(broken)).toMatch(/^true .*out of order.* true true$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);

test('there is none where there is no processor for it, or no program', () => {
  expect(processors({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769' })).toBeLessThanOrEqual(1);
  expect(threadCompilers(__filename, { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048' })).toBeUndefined();
  expect(threadCompilers(join(root, 'no-such-file.js'), {})).toBeUndefined();
});
