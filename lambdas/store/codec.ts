/** How bytes are made smaller. The name is stored with them, so that a later build may add or prefer another. */
import { promisify } from 'node:util';
import { constants, zstdCompressSync, zstdDecompress, type ZstdOptions } from 'node:zlib';
import type { CodecName } from './store';

export interface Codec {
  readonly name: CodecName;
  compress(bytes: Uint8Array): Uint8Array;
  /** Never gives more than `length` bytes. @throws RangeError or the library's error on bytes that it did not make. */
  decompress(bytes: Uint8Array, length: number): Promise<Uint8Array>;
}

const unzstd = promisify<Uint8Array, ZstdOptions, Buffer>(zstdDecompress);

const raw: Codec = {
  name: 'raw',
  compress: (bytes) => bytes,
  decompress: (bytes) => Promise.resolve(bytes),
};

/** Level 3 is the library's default: about 300 MB/s, and within a few percent of the slower levels on guest RAM. */
const zstd: Codec = {
  name: 'zstd',
  compress: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
  // On Node's threads, so that the next pack is parsed meanwhile.
  decompress: async (bytes, length) =>
    plain(await unzstd(bytes, { maxOutputLength: Math.max(1, length), chunkSize: Math.max(64, length) })),
};

/** The same bytes as no Buffer, whose `slice` would share them: what goes to a guest must behave as its own. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const CODECS: ReadonlyMap<string, Codec> = new Map([raw, zstd].map((codec) => [codec.name, codec]));

/** Undefined for a name that this build does not know. */
export function codecNamed(name: string): Codec | undefined {
  return CODECS.get(name);
}

/** Node has zstd from 22.15 on. */
export const PREFERRED_CODEC: CodecName = typeof zstdCompressSync === 'function' ? 'zstd' : 'raw';
