/** A program that asks much of Linux, in a container and under qemu-riscv64: line by line the same. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTar } from '../../scripts/images/tar';
import { describeWith } from '../requirement';
import { compile, compiler } from './compile';
import { createContainer, fingerprint, runContainer, runInSlices, text } from './container';
import { qemuUser } from './qemu-user';

describeWith([compiler, qemuUser], 'signals, processes, threads, memory and files of a C program', () => {
  let folder: string;
  let binary: string;
  let archive: Uint8Array;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'container-abi-'));
    binary = compile('abi', join(folder, 'abi'), ['-static', '-pthread', '-w']);
    archive = writeTar([
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      { kind: 'file', path: 'abi', content: new Uint8Array(readFileSync(binary)), mode: 0o755 },
    ]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const make = () => createContainer(['/abi'], { archive, definition: { workingDirectory: '/tmp' } });

  it('are those of Linux', () => {
    const expected = spawnSync('qemu-riscv64', [binary], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    const outcome = runContainer(make());
    expect(text(outcome)).toBe(expected.stdout);
    expect(outcome.exit).toMatchObject({ reason: 'halted', code: 0 });
  }, 90_000);

  it('can be cut anywhere', () => {
    const whole = make();
    runContainer(whole);
    const end = whole.instructions - 100;
    const once = runInSlices(make, end, 1);
    expect(runInSlices(make, end, 60)).toEqual(once);
    expect(fingerprint(whole)).not.toBe(once.final);
  }, 60_000);
});
