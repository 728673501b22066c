/**
 * A disk image that is read block by block, as its guest wants them. A table made at synth has each block's SHA-256:
 * what comes is checked against it, and a block of zeros is known without being read.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError, type DiskFile, type ImageFile } from '../../engine/models/guest';

/** Bytes of a block, the image's last one excepted: lib/image/image-file.ts makes the table. */
export const BLOCK_BYTES = 128 * 1024;
const DIGEST_BYTES = 32;

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const ZEROS = digestOf(new Uint8Array(BLOCK_BYTES));

/** A part of an asset. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** What a ranged image needs of whoever has the assets. */
export interface BlockSource {
  /** Undefined when there is no such asset. */
  get(key: string, range: Range): Promise<Uint8Array | undefined>;
  /** A whole file, checked. @throws ImageError */
  file(file: ImageFile): Promise<Uint8Array>;
  /** Where copies of blocks may lie. */
  readonly directory: string;
  /** Takes a copy of a block. */
  keep(path: string, bytes: Uint8Array): void;
}

export class RangedImage {
  private digests: Promise<Uint8Array> | undefined;

  /** @param blocks the table of digests, which is part of `file` */
  constructor(
    private readonly file: DiskFile,
    private readonly blocks: ImageFile,
    private readonly source: BlockSource,
  ) {}

  /** The block that has the byte at `offset`, and where it begins. Undefined: all zeros. @throws ImageError */
  async block(offset: number): Promise<{ readonly offset: number; readonly bytes: Uint8Array | undefined }> {
    const number = Math.floor(offset / BLOCK_BYTES);
    const start = number * BLOCK_BYTES;
    const expected = (await this.table()).subarray(number * DIGEST_BYTES, (number + 1) * DIGEST_BYTES);
    if (Buffer.compare(expected, ZEROS) === 0) return { offset: start, bytes: undefined };
    const path = join(this.source.directory, this.file.sha256, String(number));
    const cached = await readFile(path).catch(() => undefined);
    if (cached !== undefined && Buffer.compare(digestOf(cached), expected) === 0) {
      return { offset: start, bytes: cached };
    }
    const length = Math.min(BLOCK_BYTES, this.file.size - start);
    const bytes = await this.source.get(this.file.key, { offset: start, length });
    if (bytes === undefined) throw this.wrong('is not among the assets');
    if (Buffer.compare(digestOf(bytes), expected) !== 0) {
      throw this.wrong(
        `has other bytes in block ${number} (${bytes.length} at ${start}) than when it was published`,
      );
    }
    this.source.keep(path, bytes);
    return { offset: start, bytes };
  }

  private table(): Promise<Uint8Array> {
    this.digests ??= this.source.file(this.blocks).then((table) => {
      const blocks = Math.ceil(this.file.size / BLOCK_BYTES);
      if (table.length === blocks * DIGEST_BYTES) return table;
      throw this.wrong(`has ${blocks} blocks, and ${this.blocks.name} has ${table.length} bytes`);
    });
    return this.digests;
  }

  private wrong(found: string): ImageError {
    return new ImageError(
      `the disk image ${this.file.name} (${this.file.key}) ${found}: deploy the stack again`,
    );
  }
}
