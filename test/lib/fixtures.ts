/** Files that look like images as far as synth looks, in a directory of their own; no real image is needed. */
import { App, Stack } from 'aws-cdk-lib';
import { createHash } from 'crypto';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';

export const MEBIBYTE = 1 << 20;

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'lib-test-'));
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

/** Writes a file and gives its path. */
export function file(name: string, contents: Uint8Array | string): string {
  const target = path.join(directory, name);
  fs.writeFileSync(target, contents);
  return target;
}

/** Writes files below a directory of its own and gives its path. */
export function tree(name: string, files: Readonly<Record<string, Uint8Array | string>>): string {
  const root = path.join(directory, name);
  fs.mkdirSync(root, { recursive: true });
  for (const [file, contents] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), contents);
  }
  return root;
}

export function sha256(target: string): string {
  return createHash('sha256').update(fs.readFileSync(target)).digest('hex');
}

export interface KernelFields {
  readonly textOffset?: number;
  readonly imageSize?: number;
  readonly flags?: bigint;
}

/** The first bytes of a RISC-V kernel, after Linux Documentation/arch/riscv/boot-image-header.rst. */
export function kernelBytes({
  textOffset = 2 * MEBIBYTE,
  imageSize = 8 * MEBIBYTE,
  flags = 0n,
}: KernelFields = {}): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeBigUInt64LE(BigInt(textOffset), 0x08);
  bytes.writeBigUInt64LE(BigInt(imageSize), 0x10);
  bytes.writeBigUInt64LE(flags, 0x18);
  bytes.writeUInt32LE(2, 0x20);
  bytes.write('RISCV\0\0\0', 0x30, 'latin1');
  bytes.write('RSC\x05', 0x38, 'latin1');
  return bytes;
}

export interface ElfFields {
  readonly class?: number;
  readonly data?: number;
  readonly type?: number;
  readonly machine?: number;
  readonly segments?: readonly {
    readonly type?: number;
    readonly offset?: number;
    readonly address: number;
    readonly fileSize?: number;
    readonly memorySize: number;
  }[];
}

/** An ELF64 file: header, program headers, and 256 bytes to load. */
export function elfBytes(fields: ElfFields = {}): Buffer {
  const segments = fields.segments ?? [{ address: 0x8000_0000, memorySize: 4096 }];
  const contents = 64 + 56 * segments.length;
  const bytes = Buffer.alloc(contents + 256);
  bytes.write('\x7fELF', 0, 'latin1');
  bytes[4] = fields.class ?? 2;
  bytes[5] = fields.data ?? 1;
  bytes.writeUInt16LE(fields.type ?? 2, 16);
  bytes.writeUInt16LE(fields.machine ?? 243, 18);
  bytes.writeBigUInt64LE(0x8000_0000n, 24);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(segments.length, 56);
  segments.forEach((segment, index) => {
    const at = 64 + 56 * index;
    bytes.writeUInt32LE(segment.type ?? 1, at);
    bytes.writeBigUInt64LE(BigInt(segment.offset ?? contents), at + 8);
    bytes.writeBigUInt64LE(BigInt(segment.address), at + 24);
    bytes.writeBigUInt64LE(BigInt(segment.fileSize ?? 256), at + 32);
    bytes.writeBigUInt64LE(BigInt(segment.memorySize), at + 40);
  });
  return bytes;
}

export const kernel = file('vmlinuz', kernelBytes());
export const initrd = file('initrd.gz', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4]));
export const firmware = file('fw_dynamic.bin', Buffer.alloc(1024, 0x13));
export const disk = file('disk.raw', Buffer.alloc(1024, 7));

/** Folder of a function that does nothing, in place of a bundle that a build would have made. */
export function emptyBundle(name: string): string {
  const folder = path.join(directory, 'bundles', name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'index.js'), `exports.handler = async () => ({}); // ${name}\n`);
  return folder;
}

/** The repository's own cdk.json, as `cdk synth` would hand it to an app. */
export function cdkContext(): Record<string, unknown> {
  const settings = JSON.parse(fs.readFileSync(path.join(__dirname, '../../cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  return settings.context;
}

export function stack(): Stack {
  return new Stack(
    new App({ context: cdkContext(), outdir: fs.mkdtempSync(path.join(directory, 'cdk.out-')) }),
    'Stack',
  );
}

/** The definition asset of a guest, read back from the assembly. */
export function definitionOf(app: App, key: string): Record<string, unknown> {
  return JSON.parse(fs.readFileSync(path.join(app.outdir, `asset.${key}`), 'utf8')) as Record<
    string,
    unknown
  >;
}
