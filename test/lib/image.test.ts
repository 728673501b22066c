import fc from 'fast-check';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { GuestImage } from '../../lib';
import { DeclarationError } from '../../lib/declaration-error';
import { checkElf } from '../../lib/image/elf';
import { ImageFile } from '../../lib/image/image-file';
import { readKernelHeader } from '../../lib/image/kernel';
import { elfBytes, file, firmware, initrd, kernel, kernelBytes, MEBIBYTE, sha256 } from './fixtures';

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'image-test-'));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** `magic` at `offset` of an otherwise empty file. */
function bytesWith(offset: number, magic: readonly number[] | string): Buffer {
  const bytes = Buffer.alloc(4096);
  Buffer.from(magic as never, 'latin1').copy(bytes, offset);
  return bytes;
}

describe('a kernel', () => {
  test('is known by its header, of which the sizes count', () => {
    const opened = new ImageFile(
      'kernel',
      file('some-kernel', kernelBytes({ textOffset: 0x20_0000, imageSize: 0x23a_0000 })),
    );
    expect(readKernelHeader(opened)).toEqual({ textOffset: 0x20_0000, imageSize: 0x23a_0000 });
  });

  test('takes no less memory than its file has', () => {
    const opened = new ImageFile('kernel', file('short-header', kernelBytes({ imageSize: 16 })));
    expect(readKernelHeader(opened).imageSize).toBe(4096);
  });

  test.each<[string, Buffer, RegExp]>([
    [
      'gzip',
      bytesWith(0, [0x1f, 0x8b, 8]),
      /this is compressed with gzip, .* Decompress it first: gunzip < FILE > Image\.$/,
    ],
    ['xz', bytesWith(0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), /compressed with xz.* xz -d/],
    ['zstd', bytesWith(0, [0x28, 0xb5, 0x2f, 0xfd]), /compressed with zstd.* zstd -d/],
    ['EFI zboot', bytesWith(4, 'zimg'), /an? compressed EFI zboot kernel/],
    [
      'arm64',
      bytesWith(0x38, 'ARMd'),
      /this is a kernel of arm64, .* Use the kernel of a riscv64 distribution/,
    ],
    ['x86', bytesWith(0x202, 'HdrS'), /this is a kernel of x86 \(bzImage\)/],
    ['Arm', bytesWith(0x24, [0x18, 0x28, 0x6f, 0x01]), /this is a kernel of 32-bit Arm/],
    [
      'ELF',
      bytesWith(0, '\x7fELF'),
      /this is an ELF file, .* Use arch\/riscv\/boot\/Image of the same build/,
    ],
    [
      'text',
      Buffer.from('#!/bin/sh\n'),
      /this is no RISC-V Linux kernel \(bytes 0x38 to 0x3b must be "RSC\\x05"\)/,
    ],
    ['zeros', Buffer.alloc(4096), /this is no RISC-V Linux kernel/],
    ['big-endian', kernelBytes({ flags: 1n }), /this is a big-endian RISC-V kernel/],
    ['damaged', kernelBytes({ imageSize: 0 }), /its header is damaged: text_offset 0x200000, image_size 0x0/],
    ['huge', kernelBytes({ imageSize: 2 ** 40 }), /its header is damaged/],
  ])('that is %s is refused by name', (name, contents, message) => {
    const target = file(`not-a-kernel-${name.replace(' ', '-')}`, contents);
    expect(() => GuestImage.linux({ kernel: target, firmware })).toThrow(message);
    expect(() => GuestImage.linux({ kernel: target, firmware })).toThrow(`kernel "${target}": `);
  });

  test('of arbitrary bytes is accepted or refused with a fix, and never crashes', () => {
    const target = path.join(scratch, 'arbitrary-kernel');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.boolean(), (noise, signed) => {
        const contents = Buffer.from(noise);
        if (signed && contents.length >= 0x40) contents.write('RSC\x05', 0x38, 'latin1');
        fs.writeFileSync(target, contents);
        try {
          const { textOffset, imageSize } = readKernelHeader(new ImageFile('kernel', target));
          expect(signed).toBe(true);
          expect(Number.isSafeInteger(textOffset) && Number.isSafeInteger(imageSize)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DeclarationError);
        }
      }),
    );
  });
});

describe('a file', () => {
  test('that is missing is named as it was written and as it was looked for', () => {
    for (const [role, image] of [
      ['kernel', () => GuestImage.linux({ kernel: 'no/such/file' })],
      ['initrd', () => GuestImage.linux({ kernel, initrd: 'no/such/file' })],
      ['firmware', () => GuestImage.linux({ kernel, firmware: 'no/such/file' })],
      ['firmware', () => GuestImage.firmware({ firmware: 'no/such/file' })],
      ['disk', () => GuestImage.linux({ kernel, disks: ['no/such/file'] })],
    ] as const) {
      expect(image).toThrow(`${role} "no/such/file": there is no file ${path.resolve('no/such/file')}. `);
    }
  });

  test('that is a directory, or empty, is refused', () => {
    expect(() => GuestImage.linux({ kernel: scratch })).toThrow(
      /is not a regular file\. Name the file itself/,
    );
    expect(() => GuestImage.linux({ kernel, initrd: file('empty', '') })).toThrow(
      /empty is empty\. Fetch or build/,
    );
  });

  test('is hashed whole, however large', () => {
    const target = file('large', Buffer.alloc(2 * MEBIBYTE + 3, 'abc'));
    expect(new ImageFile('disk', target).sha256()).toBe(sha256(target));
  });
});

describe('firmware', () => {
  test('may be a raw binary or an ELF file, alone or below a kernel', () => {
    const elf = file('firmware.elf', elfBytes());
    for (const path of [firmware, elf]) {
      expect(() => GuestImage.firmware({ firmware: path })).not.toThrow();
      expect(() => GuestImage.linux({ kernel, initrd, firmware: path })).not.toThrow();
    }
  });

  test('in ELF takes RAM up to the end of its highest segment', () => {
    const open = (fields: Parameters<typeof elfBytes>[0]) =>
      checkElf(new ImageFile('firmware', file('segments.elf', elfBytes(fields))));
    expect(
      open({
        segments: [
          { address: 0x8000_0000, memorySize: 0x3000 },
          { address: 0x8010_0000, memorySize: 0x100 },
        ],
      }),
    ).toBe(0x10_0100);
    expect(open({ segments: [{ address: 0x2000_0000, memorySize: 0x3000 }] })).toBe(0);
  });

  test.each<[string, Buffer, RegExp]>([
    [
      '32 bits',
      elfBytes({ class: 1 }),
      /an ELF file of 32 bits, and guests are of 64\. Build it for riscv64/,
    ],
    ['big-endian', elfBytes({ data: 2 }), /a big-endian ELF file/],
    ['x86-64', elfBytes({ machine: 62 }), /an ELF file of x86-64, not of RISC-V/],
    ['arm64', elfBytes({ machine: 183 }), /an ELF file of arm64, not of RISC-V/],
    ['an unknown machine', elfBytes({ machine: 999 }), /an ELF file of machine 999, not of RISC-V/],
    ['an object', elfBytes({ type: 1 }), /is not linked/],
    ['without program headers', elfBytes({ segments: [] }), /has no program headers/],
    [
      'without anything to load',
      elfBytes({ segments: [{ type: 2, address: 0x8000_0000, memorySize: 256 }] }),
      /has no PT_LOAD segment/,
    ],
    ['cut off', elfBytes().subarray(0, 32), /ends within its header/],
    [
      'cut off in a segment',
      elfBytes().subarray(0, 200),
      /segment 0 of this ELF file does not lie within the file/,
    ],
    [
      'with a wild segment',
      elfBytes({ segments: [{ offset: 2 ** 52, address: 0x8000_0000, memorySize: 256 }] }),
      /segment 0 .* does not lie within/,
    ],
    [
      'compressed',
      bytesWith(0, [0x1f, 0x8b]),
      /compressed with gzip, and firmware is a RISC-V ELF file or a raw binary/,
    ],
    ['a kernel of arm64', bytesWith(0x38, 'ARMd'), /a kernel of arm64/],
  ])('that is %s is refused by name', (name, contents, message) => {
    const target = file(`not-firmware-${name.replaceAll(' ', '-')}`, contents);
    expect(() => GuestImage.firmware({ firmware: target })).toThrow(message);
  });

  test('in ELF with arbitrary damage is accepted or refused with a fix, and never crashes', () => {
    const target = path.join(scratch, 'damaged.elf');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(150), fc.nat(255)), { maxLength: 8 }),
        fc.nat(400),
        (damage, length) => {
          const bytes = elfBytes();
          for (const [at, value] of damage) bytes[at] = value;
          const kept = bytes.subarray(0, Math.max(4, Math.min(length, bytes.length)));
          fs.writeFileSync(target, kept);
          try {
            expect(checkElf(new ImageFile('firmware', target))).toBeGreaterThanOrEqual(0);
          } catch (error) {
            expect(error).toBeInstanceOf(DeclarationError);
          }
        },
      ),
    );
  });
});

describe('a disk', () => {
  test.each<[string, Buffer, RegExp]>([
    [
      'qcow2',
      bytesWith(0, [0x51, 0x46, 0x49, 0xfb]),
      /a qcow2 image, and disks are raw images\. Convert it: qemu-img convert -O raw/,
    ],
    ['gzip', bytesWith(0, [0x1f, 0x8b]), /compressed with gzip, and disks are raw images/],
    [
      'broken off',
      Buffer.alloc(1000, 1),
      /its 1000 bytes are not a multiple of the sector size, 512 bytes\. Pad it: truncate -s 1024 FILE/,
    ],
  ])('that is %s is refused', (name, contents, message) => {
    expect(() => GuestImage.linux({ kernel, disks: [file(`disk-${name}`, contents)] })).toThrow(message);
  });
});

describe('a command line', () => {
  test('fits into what the kernel reads, on one line', () => {
    const image = (commandLine: string) => () => GuestImage.linux({ kernel, commandLine });
    expect(image('x'.repeat(1023))).not.toThrow();
    expect(image('x'.repeat(1024))).toThrow(
      'commandLine: 1024 bytes are more than the 1023 that a riscv64 kernel reads. ',
    );
    expect(image('ä'.repeat(512))).toThrow('1024 bytes');
    expect(image('quiet\ninit=/bin/sh')).toThrow('commandLine: it contains a control character. ');
  });
});
