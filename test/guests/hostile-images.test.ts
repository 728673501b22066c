/** Files that cannot become a guest: refused by a message that names the file and the way out, whatever is in them. */
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { guestFactory } from '../../engine/models/create';
import { ImageError, type Guest, type GuestFiles, type MachineDefinition } from '../../engine/models/guest';
import { describeFile, noHost } from './raw-guest';

const MEBIBYTE = 2 ** 20;
const firmware = Uint8Array.of(0x6f, 0, 0, 0); // j .

type Files = {
  readonly firmware?: Uint8Array | undefined;
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
};

function create(files: Files, more: Partial<MachineDefinition> = {}, rest: GuestFiles = {}): Guest {
  const all = Object.fromEntries(
    Object.entries({ firmware, ...files }).filter(([, bytes]) => bytes !== undefined),
  ) as Record<string, Uint8Array>;
  const described = Object.fromEntries(
    Object.entries(all).map(([field, bytes]) => [field, describeFile(`the-${field}.file`, bytes)]),
  );
  const definition: MachineDefinition = {
    version: 1,
    model: 'machine',
    memory: 16 * MEBIBYTE,
    clock: 'deterministic',
    ...described,
    ...more,
  };
  return guestFactory(noHost)(definition, { ...all, ...rest });
}

/** The header that Linux's boot loaders look at; Documentation/arch/riscv/boot-image-header.rst. */
function kernel(bytes: number, imageSize: bigint = BigInt(bytes)): Uint8Array {
  const image = new Uint8Array(bytes);
  const view = new DataView(image.buffer);
  view.setBigUint64(16, imageSize, true);
  view.setBigUint64(0x30, 0x5643534952n, true);
  view.setUint32(0x38, 0x05435352, true);
  return image;
}

/** arm64 has the same header with a magic of its own, at the same place: "ARM\x64". */
function armKernel(): Uint8Array {
  const image = kernel(4096);
  image.set([0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0x52, 0x4d, 0x64], 0x30);
  return image;
}

/** Linux/x86 boot protocol: "HdrS" at 0x202, 0xaa55 before it. */
function x86Kernel(): Uint8Array {
  const image = new Uint8Array(4096);
  image.set([0x55, 0xaa], 0x1fe);
  image.set(Buffer.from('HdrS'), 0x202);
  return image;
}

interface Header {
  readonly class?: number;
  readonly data?: number;
  readonly machine?: number;
  readonly table?: bigint;
  readonly count?: number;
  readonly type?: number;
  readonly offset?: bigint;
  readonly address?: bigint;
  readonly fileSize?: bigint;
  readonly size?: bigint;
}

function elf(header: Header = {}): Uint8Array {
  const image = new Uint8Array(256);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, header.class ?? 2, header.data ?? 1, 1]);
  view.setUint16(18, header.machine ?? 243, true);
  view.setBigUint64(24, 0x8000_0000n, true);
  view.setBigUint64(32, header.table ?? 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, header.count ?? 1, true);
  view.setUint32(64, header.type ?? 1, true);
  view.setBigUint64(64 + 8, header.offset ?? 128n, true);
  view.setBigUint64(64 + 24, header.address ?? 0x8000_0000n, true);
  view.setBigUint64(64 + 32, header.fileSize ?? 64n, true);
  view.setBigUint64(64 + 40, header.size ?? 64n, true);
  return image;
}

/** The message of the refusal. */
function refusal(make: () => Guest): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(ImageError);
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

describe('refused, naming the file and the fix', () => {
  test.each<[string, Files, RegExp]>([
    ['a text as kernel', { kernel: Buffer.from('#!/bin/sh\necho kernel\n') }, /the-kernel\.file is no RISC-V Linux kernel.*give an uncompressed Image/],
    ['an empty kernel', { kernel: new Uint8Array(0) }, /the-kernel\.file.*give/],
    ['a kernel for arm64', { kernel: armKernel() }, /the-kernel\.file.*RISC-V.*give/],
    ['a kernel for x86', { kernel: x86Kernel() }, /the-kernel\.file.*RISC-V.*give/],
    ['a kernel under gzip', { kernel: gzipSync(kernel(4096)) }, /the-kernel\.file.*give an uncompressed Image/],
    ['an ELF file as kernel', { kernel: elf() }, /the-kernel\.file.*give/],
    ['a kernel larger than memory', { kernel: kernel(16 * MEBIBYTE) }, /16\.0 MiB is too little for the-kernel\.file.*more memory/],
    ['a kernel whose bss does not fit', { kernel: kernel(4096, 1n << 40n) }, /too little for the-kernel\.file/],
    ['an initrd that does not fit', { kernel: kernel(4096), initrd: new Uint8Array(13 * MEBIBYTE) }, /the-initrd\.file \(13\.0 MiB\) does not fit.*give the guest [\d.]+ MiB or more, or a smaller initrd/],
    ['no firmware', { firmware: undefined }, /needs firmware.*give OpenSBI/],
    ['firmware larger than memory', { firmware: new Uint8Array(17 * MEBIBYTE) }, /the-firmware\.file wants 17\.0 MiB.*more memory/],
    ['firmware of 32 bits', { firmware: elf({ class: 1 }) }, /the-firmware\.file: not a 64-bit.*give a 64-bit/],
    ['firmware of the other byte order', { firmware: elf({ data: 2 }) }, /the-firmware\.file: not a 64-bit little-endian/],
    ['firmware for arm64', { firmware: elf({ machine: 183 }) }, /the-firmware\.file: for machine 183, not RISC-V/],
    ['firmware cut short', { firmware: elf().subarray(0, 40) }, /the-firmware\.file: the ELF header is cut short/],
    ['firmware with nothing in it', { firmware: elf({ type: 2 }) }, /the-firmware\.file: nothing to load/],
    ['program headers outside the file', { firmware: elf({ table: 1n << 63n }) }, /the-firmware\.file: the program headers lie outside/],
    ['a segment outside the file', { firmware: elf({ offset: 250n }) }, /the-firmware\.file: segment 0 lies outside/],
    ['a segment below RAM', { firmware: elf({ address: 0x1000n }) }, /the-firmware\.file wants.*not in RAM.*link it there/],
    ['a segment around the end of addresses', { firmware: elf({ address: (1n << 64n) - 8n }) }, /the-firmware\.file wants/],
    ['firmware that reaches into the kernel', { firmware: new Uint8Array(3 * MEBIBYTE), kernel: kernel(4096) }, /the-firmware\.file.*the-kernel\.file/],
    ['firmware that reaches into the device tree', { firmware: elf({ address: 0x80f0_0000n }) }, /the-firmware\.file.*device tree/],
  ])('%s', (_name, files, message) => {
    expect(refusal(() => create(files))).toMatch(message);
  }); // prettier-ignore

  test.each<[string, Partial<MachineDefinition>, RegExp]>([
    ['too little memory', { memory: MEBIBYTE }, /memory of 1048576 bytes.*from 4 MiB/],
    ['too much memory', { memory: 4096 * MEBIBYTE }, /memory of.*to 4092 MiB/],
    ['memory in parts of a mebibyte', { memory: 16 * MEBIBYTE + 1 }, /multiple of 1 MiB/],
    ['memory that is no number', { memory: NaN }, /memory of NaN/],
    ['a CPU feature that is not known', { cpu: ['zba', 'zmagic'] }, /zmagic.*known are .*zba/],
    ['a command line with a NUL', { commandLine: 'console=ttyS0\0quiet' }, /command line.*NUL/],
    [
      'a command line beyond measure',
      { commandLine: 'x'.repeat(3 * MEBIBYTE) },
      /shorten the kernel command line/,
    ],
  ])('%s', (_name, more, message) => {
    expect(refusal(() => create({}, more))).toMatch(message);
  });

  test.each<[string, readonly Uint8Array[], RegExp]>([
    ['a disk without bytes', [new Uint8Array(512), new Uint8Array(0)], /a\.disk has no bytes; give/],
    [
      'more disks than there are places',
      Array.from({ length: 38 }, () => new Uint8Array(512)),
      /38 disks.*37/,
    ],
  ])('%s', (_name, disks, message) => {
    expect(
      refusal(() => create({}, { disks: disks.map((bytes) => describeFile('a.disk', bytes)) }, { disks })),
    ).toMatch(message);
  });
});

test('whatever the files hold, there is a guest or an ImageError', () => {
  const noise = fc.uint8Array({ maxLength: 4096 });
  const mutated = fc
    .tuple(
      fc.constantFrom(elf(), kernel(256), armKernel(), gzipSync(kernel(256))),
      fc.array(fc.tuple(fc.nat(127), fc.nat(255)), { maxLength: 8 }),
    )
    .map(([image, changes]) => {
      const bytes = Uint8Array.from(image);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
  const file = fc.option(fc.oneof(noise, mutated), { nil: undefined });
  let made = 0;
  let refused = 0;
  fc.assert(
    fc.property(file, file, file, (firmwareFile, kernelFile, initrd) => {
      const files = { firmware: firmwareFile, kernel: kernelFile, initrd };
      const given = Object.fromEntries(Object.entries(files).filter(([, bytes]) => bytes !== undefined));
      let guest: Guest;
      try {
        guest = create(given as Files, { memory: 8 * MEBIBYTE });
      } catch (error) {
        expect(error).toBeInstanceOf(ImageError);
        refused++;
        return;
      }
      made++;
      guest.run({ instructions: 2000 });
      expect(guest.instructions).toBeLessThanOrEqual(2000);
    }),
    { numRuns: 300 },
  );
  expect(made).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(10);
}, 60_000);
