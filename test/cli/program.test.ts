import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ImageError,
  type GuestDefinition,
  type GuestFiles,
  type MachineDefinition,
} from '../../engine/models/guest';
import { main } from '../../cli/program';
import type { ChosenServices } from '../../cli/run';
import { writeTar } from '../../lib/archive/tar';
import { FakeGuest, powerOff, type Script } from './fake-guest';
import { FakeHost } from './fake-host';
import { noState } from './no-state';

const directory = mkdtempSync(join(tmpdir(), 'hv-program-'));
const file = (name: string, content = name) => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};
const kernel = file('vmlinuz');
const firmware = file('fw.bin');
const root = join(directory, 'rootfs');
mkdirSync(join(root, 'bin'), { recursive: true });
writeFileSync(join(root, 'bin', 'sh'), 'a shell');
afterAll(() => rmSync(directory, { recursive: true }));

const container = ['run', '--model', 'container'];
const paravirtual = ['run', '--model', 'paravirtual'];

function writeTarOf(source: string, target: string): void {
  const pieces: Uint8Array[] = [];
  writeTar(source, (piece) => pieces.push(piece));
  writeFileSync(target, Buffer.concat(pieces));
}

async function hv(args: string[], script: Script = () => powerOff, isTTY = false) {
  const host = new FakeHost({ isTTY });
  let status: number | undefined;
  let created:
    | { definition: MachineDefinition; files: GuestFiles; services: ChosenServices; guests: number }
    | undefined;
  const createGuest = (
    definition: GuestDefinition,
    files: GuestFiles = {},
    services: ChosenServices = {},
  ): FakeGuest => {
    const guests = (created?.guests ?? 0) + 1;
    created = { definition: definition as MachineDefinition, files, services, guests };
    return new FakeGuest(script);
  };
  const clock = { wallNanoseconds: () => 0n, monotonicMilliseconds: () => performance.now() };
  await main(
    args,
    { createGuest, openState: noState, host, clock, exit: (code) => (status = code) },
    '1.2.3',
  );
  await new Promise((resolve) => setImmediate(resolve));
  return { status, created, host, out: host.out, err: host.err };
}

describe('hv', () => {
  test.each<[string[], RegExp]>([
    [['run'], /nothing to run; give --kernel FILE/],
    [['run', '--firmware', 'none'], /nothing to run/],
    [['run', '--kernel', '/no/such/file'], /kernel \/no\/such\/file does not exist; check the path/],
    [['run', '--kernel', directory], /is no file; check the path/],
    [['run', '--kernel', file('empty', '')], /kernel .*empty is empty; give another file/],
    [['run', '--kernel', kernel, '--initrd', '/no/initrd'], /initrd \/no\/initrd does not exist/],
    [['run', '--initrd', kernel, '--firmware', firmware], /--initrd needs a kernel/],
    [['run', '--append', 'quiet', '--firmware', firmware], /--append needs a kernel/],
    [['run', '--kernel', kernel, '--firmware', '/no/fw'], /firmware \/no\/fw does not exist/],
    [
      ['run', '--kernel', kernel, '--disk', '/no/disk', '--firmware', 'none'],
      /disk \/no\/disk does not exist/,
    ],
    [['run', '--kernel', kernel, '--memory', '12x'], /--memory 12x is no size of RAM; give/],
    [['run', '--kernel', kernel, '--memory', '0'], /--memory 0 is no size/],
    [['run', '--kernel', kernel, '--memory', '9G'], /--memory 9G is no size/],
    [['run', '--kernel', kernel, '--harts', 'two'], /--harts two is no whole number/],
    [['run', '--kernel', kernel, '--cpu', 'zba,?'], /--cpu zba,\?: "\?" is no CPU feature/],
    [['run', '--kernel', kernel, '--seed', '1'], /--seed means something only in deterministic mode/],
    [['run', '--kernel', kernel, '--engine', 'fast'], /Allowed choices are interpreter, translator, both/],
    [
      ['run', '--kernel', kernel, '--trace-from', '9'],
      /--trace-from says which .* --trace shows; add --trace/,
    ],
    [['run', '--kernel', kernel, '--trace-count', '9'], /--trace-count says which .*; add --trace/],
    [['run', '--kernel', kernel, '--trace', '--trace-from', '-1'], /--trace-from -1 is no whole number/],
    [['run', '--kernel', kernel, '--trace', '--trace-count', 'all'], /--trace-count all is no whole number/],
    [['run', '--kernel', kernel, '--trace', '--trace-count', '0'], /--trace-count 0 shows nothing; give/],
    [
      ['run', '--kernel', kernel, '--trace', '/no/such/file'],
      /--trace \/no\/such\/file cannot be written \(ENOENT\)/,
    ],
    [['run', '--kernel', kernel, '--trace', '--engine', 'both'], /--trace shows one engine; leave out/],
    [['run', '--kernel', kernel, '--clock', 'fast'], /Allowed choices are real, deterministic/],
    [['run', '--kernel'], /argument missing/],
    [['run', '--colour'], /unknown option '--colour'/],
    [['run', 'vmlinuz'], /"vmlinuz": only a container is given a command; say --model container/],
    [['run', '--model', 'docker'], /Allowed choices are vm, paravirtual, container/],
    [['run', '--kernel', kernel, '--root', '/'], /--root is not for --model vm; it is for container/],
    [['run', '--kernel', kernel, '--strace'], /--strace is not for --model vm; it is for container/],
    [['run', '--kernel', kernel, '--no-port'], /--no-port is not for --model vm; it is for paravirtual/],
    [paravirtual, /nothing to run; give --kernel FILE: a paravirtual machine is a kernel/],
    [
      [...paravirtual, '--kernel', kernel, '--firmware', firmware],
      /--firmware is not for --model paravirtual/,
    ],
    [[...paravirtual, '--kernel', '/no/such'], /kernel \/no\/such does not exist/],
    [[...paravirtual, '--kernel', kernel, '--', 'sh'], /"sh": only a container is given a command/],
    [[...container, '--', 'sh'], /a container needs its files; give --root DIRECTORY/],
    [[...container, '--root', root], /a container needs a command; give it after "--"/],
    [[...container, '--root', root, '--', ''], /a container needs a command/],
    [[...container, '--root', '/no/root', '--', 'sh'], /root \/no\/root does not exist; check the path/],
    [
      [...container, '--root', kernel, '--', 'sh'],
      /root .*vmlinuz is no uncompressed tar archive; decompress it/,
    ],
    [[...container, '--root', root, '--layer', '/no/l', '--', 'sh'], /layer \/no\/l does not exist/],
    [[...container, '--root', root, '--env', '=1', '--', 'sh'], /--env =1 is no variable; write NAME=VALUE/],
    [[...container, '--root', root, '--workdir', 'srv', '--', 'sh'], /--workdir srv is no absolute path/],
    [[...container, '--root', root, '--pids', 'x', '--', 'sh'], /--pids x is no whole number/],
    [[...container, '--root', root, '--pids', '0', '--', 'sh'], /--pids 0 leaves no room/],
    [[...container, '--root', root, '--kernel', kernel, '--', 'sh'], /--kernel is not for --model container/],
    [[...container, '--root', root, '--harts', '1', '--', 'sh'], /--harts is not for --model container/],
    [['launch'], /unknown command 'launch'/],
  ])('%j is one line and exit status 2', async (args, message) => {
    const { status, err, out, host } = await hv(args);
    expect(err).toMatch(/^hv: [^\n]+\n$/);
    expect(err).toMatch(message);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(host.stdin.changes).toEqual([]);
  });

  test("the engine's refusal of an image is one line too, before the terminal is touched", async () => {
    const host = new FakeHost({ isTTY: true });
    let status = -1;
    const createGuest = () => {
      throw new ImageError('kernel vmlinuz is no RISC-V Image;\n give another');
    };
    const clock = { wallNanoseconds: () => 0n, monotonicMilliseconds: () => 0 };
    const context = { createGuest, openState: noState, host, clock, exit: (code: number) => (status = code) };
    await main(['run', '--kernel', kernel, '--firmware', firmware], context, '1.2.3');
    await new Promise((resolve) => setImmediate(resolve));
    expect(host.err).toBe('hv: kernel vmlinuz is no RISC-V Image; give another\n');
    expect(status).toBe(2);
    expect(host.stdin.changes).toEqual([]);
  });

  test('runs what the flags describe', async () => {
    const initrd = file('initrd.gz');
    const disk = file('disk.raw');
    const { status, created, err } = await hv([
      ...['run', '--kernel', kernel, '--initrd', initrd, '--firmware', firmware, '--memory', '1G'],
      ...['--append', 'quiet', '--disk', disk, '--disk', disk, '--cpu', 'rv64gc,Zba,sstc'],
      ...['--clock', 'deterministic', '--seed', '7'],
    ]);
    expect(err).toBe('');
    expect(status).toBe(0);
    expect(created?.definition).toMatchObject({
      version: 1,
      model: 'machine',
      memory: 1024 * 1024 * 1024,
      cpu: ['zba', 'sstc'],
      clock: 'deterministic',
      seed: 7,
      commandLine: 'quiet',
      kernel: { key: kernel, name: 'vmlinuz', size: 7 },
      initrd: { name: 'initrd.gz' },
      firmware: { name: 'fw.bin' },
      disks: [{ name: 'disk.raw' }, { name: 'disk.raw' }],
    });
    // printf vmlinuz | sha256sum
    expect(created?.definition.kernel?.sha256).toBe(
      '42f083196bf0997a4f9c37295e311eb5012aa59e383c15b8ba466070af14cd8f',
    );
    expect(Buffer.from(created?.files.kernel ?? []).toString()).toBe('vmlinuz');
    expect(created?.files.disks).toHaveLength(2);
  });

  test('the defaults: 256 MiB, real time, the first serial port, the default CPU', async () => {
    const { created } = await hv(['run', '--kernel', kernel, '--firmware', 'none']);
    expect(created?.definition).toEqual({
      version: 1,
      model: 'machine',
      memory: 256 * 1024 * 1024,
      clock: 'real',
      commandLine: 'console=ttyS0',
      kernel: expect.objectContaining({ name: 'vmlinuz' }),
    });
  });

  test('a paravirtual machine is a kernel on the virtio console, ported unless told otherwise', async () => {
    const { created, err } = await hv([...paravirtual, '--kernel', kernel, '--memory', '64']);
    expect(err).toBe('');
    expect(created?.definition).toEqual({
      version: 1,
      model: 'paravirt',
      memory: 64 * 1024 * 1024,
      clock: 'real',
      commandLine: 'console=hvc0',
      kernel: expect.objectContaining({ name: 'vmlinuz' }),
    });
    const plain = await hv([...paravirtual, '--kernel', kernel, '--no-port', '--append', 'quiet']);
    expect(plain.created?.definition).toMatchObject({ port: false, commandLine: 'quiet' });
  });

  test('a container is its root, its layers, and a command', async () => {
    const layer = file('layer.tar');
    writeTarOf(root, layer);
    const { created, err, status } = await hv([
      ...[...container, '--root', root, '--layer', layer, '--env', 'A=b=c', '--env', 'TERM=dumb'],
      ...['--workdir', '/srv', '--hostname', 'box', '--pids', '9', '--clock', 'deterministic'],
      ...['--', 'sh', '-c', 'echo "$A"', '--memory'],
    ]);
    expect(err).toBe('');
    expect(status).toBe(0);
    expect(created?.definition).toEqual({
      version: 1,
      model: 'container',
      memory: 256 * 1024 * 1024,
      clock: 'deterministic',
      layers: [expect.objectContaining({ name: 'rootfs' }), expect.objectContaining({ name: 'layer.tar' })],
      command: ['sh', '-c', 'echo "$A"', '--memory'],
      environment: expect.objectContaining({ A: 'b=c', TERM: 'dumb', HOME: '/root' }),
      workingDirectory: '/srv',
      hostname: 'box',
      pids: 9,
    });
    // A directory becomes the archive that tar would have made of it.
    const [packed, read] = created?.files.layers ?? [];
    expect(Buffer.from(packed ?? [])).toEqual(Buffer.from(read ?? []));
    expect(Buffer.from(packed ?? []).includes('a shell')).toBe(true);
  });

  test("--strace shows a container's system calls on stderr, and without it nobody is told", async () => {
    const run = [...container, '--root', root];
    expect((await hv([...run, '--', 'sh'])).created?.services.trace).toBeUndefined();
    const { created, host } = await hv([...run, '--strace', '--', 'sh']);
    created?.services.trace?.('write(1, "x", 1) = 1');
    expect(host.err).toBe('write(1, "x", 1) = 1\n');
  });

  test('--engine both makes two guests, in time that both have in common', async () => {
    const { created, err, status } = await hv(['run', '--kernel', kernel, '--engine', 'both', '--seed', '3']);
    expect(err).toBe('hv: --engine both: the clock is deterministic\n');
    expect(status).toBe(0);
    expect(created?.guests).toBe(2);
    expect(created?.definition).toMatchObject({ clock: 'deterministic', seed: 3 });
    expect(created?.services.engine).toEqual({ kind: 'translator' });
    const threshold = await hv(['run', '--kernel', kernel, '--engine', 'both', '--threshold', '0']);
    expect(threshold.created?.services.engine).toEqual({ kind: 'translator', threshold: 0 });
  });

  test('--trace goes to a file, or to stderr', async () => {
    const path = join(directory, 'trace.txt');
    const run = ['run', '--kernel', kernel, '--trace-from', '7', '--trace-count', '2'];
    let traced: ChosenServices['instructions'];
    const { created, err } = await hv([...run, '--trace', path], () => powerOff);
    traced = created?.services.instructions;
    expect(traced).toMatchObject({ from: 7, count: 2 });
    expect(err).toBe(
      'hv: tracing 2 instructions from 7 on; they are interpreted, the others may be translated\n',
    );
    expect(readFileSync(path, 'utf8')).toBe('');
    const plain = await hv(['run', '--kernel', kernel, '--engine', 'interpreter', '--trace'], () => powerOff);
    traced = plain.created?.services.instructions;
    expect(plain.err).toBe('hv: tracing 10000 instructions from 0 on\n');
    traced?.write('a line');
    traced?.ended?.();
    expect(plain.host.err).toMatch(/on\na line\nhv: the trace has ended; --trace-count shows more\n$/);
  });

  test('the exit status is what the guest told the test finisher', async () => {
    const script: Script = () => ({ reason: 'halted', how: 'failure', code: 42 });
    expect((await hv(['run', '--kernel', kernel, '--firmware', firmware], script)).status).toBe(42);
  });

  test('the terminal is given back when the engine throws', async () => {
    const script: Script = () => {
      throw new Error('broken');
    };
    const { status, host, err } = await hv(['run', '--kernel', kernel, '--firmware', firmware], script, true);
    expect(host.stdin.changes).toEqual([true, false]);
    expect(err).toContain('internal error: Error: broken');
    expect(status).toBe(70);
  });

  test('--help and --version go to stdout with exit status 0; no arguments is a mistake', async () => {
    const help = await hv(['run', '--help']);
    expect(help).toMatchObject({ status: 0, err: '' });
    expect(help.out).toContain('Ctrl-A X');
    expect(await hv(['--version'])).toMatchObject({ status: 0, out: '1.2.3\n' });
    expect(await hv([])).toMatchObject({ status: 2, out: '' });
  });
});
