/** Programs in a container are told what the hart has, and that is what it has. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTar } from '../../scripts/images/tar';
import { describeWith } from '../requirement';
import { compile, compiler } from './compile';
import { createContainer, runContainer, runInSlices, text } from './container';

/** Bits of RISCV_HWPROBE_KEY_IMA_EXT_0. Linux, Documentation/arch/riscv/hwprobe.rst. */
const bits = { fd: 0n, c: 1n, zba: 3n, zbb: 4n, zbs: 5n, zicboz: 6n, zkt: 16n, zfhmin: 28n, zihintpause: 36n, zicntr: 50n, zihpm: 51n, zicbom: 55n } as const; // prettier-ignore
const always = ['fd', 'c', 'zkt', 'zicntr', 'zihpm'] as const;
const rva22 = ['zba', 'zbb', 'zbs', 'zicboz', 'zfhmin', 'zihintpause', 'zicbom'] as const;
const maskOf = (names: readonly (keyof typeof bits)[]): string =>
  names.reduce((mask, name) => mask | (1n << bits[name]), 0n).toString(16);

describeWith([compiler], 'the hart as a program in a container sees it', () => {
  let folder: string;
  let archive: Uint8Array;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'container-hart-'));
    archive = writeTar([
      { kind: 'file', path: 'hart', content: built('hart'), mode: 0o755 },
      {
        kind: 'file',
        path: 'vectors',
        content: built('vectors', '-march=rv64gcv', '-pthread'),
        mode: 0o755,
      },
    ]);
  });
  const built = (name: string, ...flags: readonly string[]): Uint8Array =>
    new Uint8Array(readFileSync(compile(name, join(folder, name), ['-static', ...flags])));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const ask = (cpu: readonly string[]): string =>
    text(runContainer(createContainer(['/hart'], { archive, definition: { cpu } })));

  it('with RVA22', () => {
    const output = ask(['rva22']);
    expect(output).toContain(
      `hwprobe 0 base 1 extensions ${maskOf([...always, ...rva22])} block 64 unknown -1\n`,
    );
    expect(output).toMatch(/isa\t\t: rv64imafdc_.*_zicboz_.*_zba_/);
    expect(output).toContain('cbo.zero 64 bytes, the first of them 1\n');
  });

  it('with rv64gc alone', () => {
    const output = ask(['rv64gc']);
    expect(output).toContain(`hwprobe 0 base 1 extensions ${maskOf(always)} block 0 unknown -1\n`);
    expect(output).not.toMatch(/isa.*zicboz/);
    expect(output).toContain('cbo.zero is illegal\n');
  });

  it('has vectors of its own, whatever other threads and signal handlers do with theirs', () => {
    const make = () => createContainer(['/vectors'], { archive, definition: { cpu: ['rva22', 'v'] } });
    expect(text(runContainer(make()))).toBe(
      'threads 3 3\nsignal 53465457 568, vl 9 vtype d2 vxrm 2 differences 0\n',
    );
    const whole = make();
    runContainer(whole);
    const end = whole.instructions - 100;
    expect(runInSlices(make, end, 30)).toEqual(runInSlices(make, end, 1));
  });

  it('has no vectors where none are chosen', () => {
    const { exit } = runContainer(createContainer(['/vectors'], { archive, definition: { cpu: ['rva22'] } }));
    expect(exit).toMatchObject({ reason: 'halted', code: 128 + 4 });
  });
});
