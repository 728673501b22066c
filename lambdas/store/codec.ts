/** How bytes are made smaller. The name is stored with them, so that a later build may add or prefer another. */
import * as zlib from 'node:zlib';
import type { CodecName } from './store';

export interface Codec {
  readonly name: CodecName;
  compress(bytes: Uint8Array): Uint8Array;
  /** Never gives more than `length` bytes. @throws RangeError or the library's error on bytes that it did not make. */
  decompress(bytes: Uint8Array, length: number): Promise<Uint8Array>;
}

const raw: Codec = {
  name: 'raw',
  compress: (bytes) => bytes,
  decompress: (bytes) => Promise.resolve(bytes),
};

/** Bounds of what damaged bytes can unpack to, and room for it at once. */
const unpacked = (length: number): { maxOutputLength: number; chunkSize: number } => ({
  maxOutputLength: Math.max(1, length),
  chunkSize: Math.max(64, length),
});

/** For runtimes without zstd. */
const deflate: Codec = {
  name: 'deflate',
  compress: (bytes) => zlib.deflateRawSync(bytes, { level: 6 }),
  decompress: async (bytes, length) => plain(zlib.inflateRawSync(bytes, unpacked(length))),
};

/**
 * Level 3 is the library's default: about 300 MB/s, and within a few percent of the slower levels on guest RAM.
 * Undefined where the runtime has no zstd: Node has it from 22.15 on.
 */
function zstdCodec(): Codec | undefined {
  if (typeof zlib.zstdCompressSync !== 'function') return undefined;
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: 3 };
  return {
    name: 'zstd',
    compress: (bytes) => zlib.zstdCompressSync(bytes, { params }),
    // Not on Node's threads: a frame takes 0.15 ms, and handing it over and back as much again.
    decompress: async (bytes, length) => plain(zlib.zstdDecompressSync(bytes, unpacked(length))),
  };
}

/** The same bytes as no Buffer, whose `slice` would share them: what goes to a guest must behave as its own. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const CODECS: ReadonlyMap<string, Codec> = new Map(
  [zstdCodec(), deflate, raw].flatMap((codec) => (codec ? [[codec.name, codec]] : [])),
);

/** Undefined for a name that this build does not know. */
export function codecNamed(name: string): Codec | undefined {
  return CODECS.get(name);
}

export const PREFERRED_CODEC: CodecName = CODECS.has('zstd') ? 'zstd' : 'deflate';
