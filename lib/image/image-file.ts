import { createHash } from 'crypto';
import * as fs from 'fs';
import * as path from 'path';
import { DeclarationError } from '../declaration-error';

const READ_CHUNK = 1 << 20;
const BLOCK = 128 * 1024;

/** A local file that becomes part of a guest's image. Opened at once, so that a missing file is refused where it is named. */
export class ImageFile {
  /** Absolute. */
  readonly path: string;
  /** Base name, as messages and the definition give it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** For messages: what the file is for, and its path as the user wrote it. */
  readonly input: string;

  /** @throws DeclarationError when there is no such file, or nothing in it. */
  constructor(role: string, file: string) {
    this.path = path.resolve(file);
    this.name = path.basename(file);
    this.input = `${role} "${file}"`;
    const status = fs.statSync(this.path, { throwIfNoEntry: false });
    if (status === undefined) {
      throw new DeclarationError(
        this.input,
        `there is no file ${this.path}`,
        'Paths are relative to the directory in which "cdk" runs: correct the path, or fetch the image first',
      );
    }
    if (!status.isFile()) {
      throw new DeclarationError(
        this.input,
        `${this.path} is not a regular file`,
        'Name the file itself, not a directory or a device',
      );
    }
    if (status.size === 0) {
      throw new DeclarationError(this.input, `${this.path} is empty`, 'Fetch or build the image again');
    }
    this.size = status.size;
  }

  /** Up to `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Buffer {
    const descriptor = fs.openSync(this.path, 'r');
    try {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, this.size - offset)));
      const count = bytes.length === 0 ? 0 : fs.readSync(descriptor, bytes, 0, bytes.length, offset);
      return bytes.subarray(0, count);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** Tells the SHA-256 of each block of 128 KiB, in order: lambdas/worker/ranged-image.ts reads by them. */
  eachBlock(tell: (digest: Uint8Array) => void): void {
    const block = Buffer.alloc(BLOCK);
    const descriptor = fs.openSync(this.path, 'r');
    try {
      for (let count; (count = fs.readSync(descriptor, block, 0, BLOCK, null)) > 0;) {
        tell(createHash('sha256').update(block.subarray(0, count)).digest());
      }
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** SHA-256 of the contents, lower-case hexadecimal. Reads in pieces: disks may be larger than memory. */
  sha256(): string {
    const hash = createHash('sha256');
    const chunk = Buffer.alloc(READ_CHUNK);
    const descriptor = fs.openSync(this.path, 'r');
    try {
      for (let count; (count = fs.readSync(descriptor, chunk, 0, READ_CHUNK, null)) > 0;) {
        hash.update(chunk.subarray(0, count));
      }
    } finally {
      fs.closeSync(descriptor);
    }
    return hash.digest('hex');
  }
}
