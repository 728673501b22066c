/**
 * Packs: what one slice changed, compressed, in items that a table takes.
 *
 * A pack is a list of **frames**, each compressed on its own, so that one
 * page can be had without unpacking its neighbours. Body, little-endian:
 *
 *   0   "HVPK"  magic          4  u8 version = 1    5  u8 length n of the guest's id
 *   6   n bytes guest id       then u32 generation, u32 fencing, u16 number, u16 frames,
 *   then for each frame: u32 stored bytes, u32 bytes when decompressed (top bit: a difference from the image),
 *   then the frames, one after the other.
 *
 * The SHA-256 beside it covers the whole body, and the body says whose it is:
 * neither a flipped bit nor another guest's item goes unseen.
 */
import { createHash } from 'node:crypto';
import { Pool } from './bounded';
import { codecNamed, type Codec } from './codec';
import { CorruptPackError } from './errors';
import { packName } from './keys';
import type { Attempt, CodecName, PackId, PackStore, StoredPack } from './store';

/** Where a frame lies. */
export interface FrameLocator {
  readonly pack: PackId;
  readonly frame: number;
}

/** Stored bytes of all frames of one pack: with header and names it stays below an item's 400 KB. */
export const PACK_BODY_BYTES = 350_000;
/** Frames in one pack at most: a frame's number has 10 bits in the page index. */
export const PACK_FRAMES = 1024;
/** Bytes of one frame when decompressed, at most: bounds what a damaged length can ask for. */
export const FRAME_BYTES = 256 * 1024;

const MAGIC = 0x4b505648;
const VERSION = 1;
const FRAME_ENTRY = 8;
/** In a frame's length: its pages are differences from the image's. */
const DELTA = 0x80000000;

export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

interface ReadyFrame {
  readonly stored: Uint8Array;
  /** When decompressed. */
  readonly bytes: number;
  readonly delta: boolean;
}

/** Gathers frames into packs and puts each as soon as it is full. */
export class PackWriter {
  /** Packs put so far. */
  count = 0;
  private frames: ReadyFrame[] = [];
  private storedBytes = 0;
  private readonly pool = new Pool();
  private readonly codec: Codec;

  constructor(
    private readonly store: PackStore,
    private readonly guest: string,
    private readonly attempt: Attempt,
    codec: CodecName,
  ) {
    const found = codecNamed(codec);
    if (found === undefined) throw new RangeError(`unknown codec ${codec}`);
    this.codec = found;
  }

  /** Adds one frame of at most FRAME_BYTES; the bytes may change when the promise has resolved. */
  async add(bytes: Uint8Array, delta = false): Promise<FrameLocator> {
    const compressed = this.codec.compress(bytes);
    const stored = compressed === bytes ? bytes.slice() : compressed;
    const size = stored.length + FRAME_ENTRY;
    if (
      this.frames.length >= PACK_FRAMES ||
      (this.frames.length > 0 && this.storedBytes + size > (this.store.packBytes ?? PACK_BODY_BYTES))
    ) {
      await this.seal();
    }
    this.frames.push({ stored, bytes: bytes.length, delta });
    this.storedBytes += size;
    return { pack: { ...this.attempt, number: this.count }, frame: this.frames.length - 1 };
  }

  /** As `add`, into a pack that has nothing else: for what outlives the pages beside it. */
  async addAlone(bytes: Uint8Array): Promise<FrameLocator> {
    if (this.frames.length > 0) await this.seal();
    const frame = await this.add(bytes);
    await this.seal();
    return frame;
  }

  /** Resolves when every pack is in the store. */
  async finish(): Promise<void> {
    if (this.frames.length > 0) await this.seal();
    await this.pool.drain();
  }

  private async seal(): Promise<void> {
    const id: PackId = { ...this.attempt, number: this.count };
    const body = encodeBody(this.guest, id, this.frames);
    this.count += 1;
    this.frames = [];
    this.storedBytes = 0;
    const pack: StoredPack = { codec: this.codec.name, sha256: sha256(body), body };
    await this.pool.add(() => this.store.put(this.guest, id, pack));
  }
}

function encodeBody(guest: string, id: PackId, frames: readonly ReadyFrame[]): Uint8Array {
  const name = new TextEncoder().encode(guest);
  const directory = 6 + name.length + 12;
  const start = directory + frames.length * FRAME_ENTRY;
  const body = new Uint8Array(frames.reduce((sum, frame) => sum + frame.stored.length, start));
  const view = new DataView(body.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, VERSION);
  view.setUint8(5, name.length);
  body.set(name, 6);
  view.setUint32(directory - 12, id.generation, true);
  view.setUint32(directory - 8, id.fencing, true);
  view.setUint16(directory - 4, id.number, true);
  view.setUint16(directory - 2, frames.length, true);
  let at = start;
  frames.forEach((frame, i) => {
    view.setUint32(directory + i * FRAME_ENTRY, frame.stored.length, true);
    view.setUint32(directory + i * FRAME_ENTRY + 4, frame.bytes + (frame.delta ? DELTA : 0), true);
    body.set(frame.stored, at);
    at += frame.stored.length;
  });
  return body;
}

/** The same pack as another guest's. @throws RangeError on bytes that are no pack */
export function readdress(body: Uint8Array, guest: string): Uint8Array {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 6 || view.getUint32(0, true) !== MAGIC)
    throw new RangeError('it does not begin as a pack does');
  const name = new TextEncoder().encode(guest);
  const rest = body.subarray(6 + view.getUint8(5));
  const moved = new Uint8Array(6 + name.length + rest.length);
  moved.set(body.subarray(0, 5));
  moved[5] = name.length;
  moved.set(name, 6);
  moved.set(rest, 6 + name.length);
  return moved;
}

/** A pack that has been read and found whole. */
export interface OpenPack {
  readonly id: PackId;
  /** Bytes of its body. */
  readonly bytes: number;
  /** Decompresses one frame. @throws CorruptPackError */
  frame(number: number): Promise<OpenFrame>;
}

export interface OpenFrame {
  readonly bytes: Uint8Array;
  /** The pages in it are differences from the image's. */
  readonly delta: boolean;
}

/**
 * Reads one pack and checks that it is whole and the one that was asked for.
 * `generation` is the checkpoint that is being restored, for the message.
 * @throws CorruptPackError
 */
export async function openPack(
  store: PackStore,
  guest: string,
  generation: number,
  id: PackId,
): Promise<OpenPack> {
  const corrupt = (found: string): CorruptPackError =>
    new CorruptPackError(guest, generation, packName(id), found);
  const pack = await store.get(guest, id);
  if (pack === undefined) throw corrupt('the item is missing');

  const { body } = pack;
  const actual = sha256(body);
  if (Buffer.compare(actual, pack.sha256) !== 0) {
    throw corrupt(
      `its SHA-256 is ${hex(actual)}, and ${hex(pack.sha256)} was stored with it (${body.length} bytes)`,
    );
  }
  const codec = codecNamed(pack.codec);
  if (codec === undefined)
    throw corrupt(`its codec is ${JSON.stringify(pack.codec)}, which this version does not know`);
  const frames = decodeDirectory(body, guest, id, corrupt);
  return {
    id,
    bytes: body.length,
    frame: async (number) => {
      const frame = frames[number];
      if (frame === undefined) throw corrupt(`it has ${frames.length} frames, and frame ${number} is wanted`);
      const bytes = await decompress(codec, body.subarray(frame.start, frame.end), frame.bytes, corrupt);
      return { bytes, delta: frame.delta };
    },
  };
}

interface Frame {
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
  readonly delta: boolean;
}

function decodeDirectory(
  body: Uint8Array,
  guest: string,
  id: PackId,
  corrupt: (found: string) => CorruptPackError,
): Frame[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 6 || view.getUint32(0, true) !== MAGIC) throw corrupt('it does not begin as a pack does');
  if (view.getUint8(4) !== VERSION)
    throw corrupt(`its format is version ${view.getUint8(4)}, not ${VERSION}`);
  const directory = 6 + view.getUint8(5) + 12;
  if (body.length < directory) throw corrupt('it is cut off in its header');

  const owner = new TextDecoder().decode(body.subarray(6, directory - 12));
  const found: PackId = {
    generation: view.getUint32(directory - 12, true),
    fencing: view.getUint32(directory - 8, true),
    number: view.getUint16(directory - 4, true),
  };
  if (owner !== guest || packName(found) !== packName(id)) {
    throw corrupt(`pack ${packName(found)} of guest ${JSON.stringify(owner)} lies in its place`);
  }
  const count = view.getUint16(directory - 2, true);
  let start = directory + count * FRAME_ENTRY;
  if (body.length < start) throw corrupt('it is cut off in its directory');
  const frames = Array.from({ length: count }, (_, i) => {
    const end = start + view.getUint32(directory + i * FRAME_ENTRY, true);
    const length = view.getUint32(directory + i * FRAME_ENTRY + 4, true);
    const frame = { start, end, bytes: length % DELTA, delta: length >= DELTA };
    start = end;
    return frame;
  });
  if (start !== body.length) throw corrupt(`its frames end at byte ${start} of ${body.length}`);
  return frames;
}

async function decompress(
  codec: Codec,
  stored: Uint8Array,
  bytes: number,
  corrupt: (found: string) => CorruptPackError,
): Promise<Uint8Array> {
  if (bytes > FRAME_BYTES) throw corrupt(`a frame claims ${bytes} bytes, more than ${FRAME_BYTES}`);
  let plain: Uint8Array;
  try {
    plain = await codec.decompress(stored, bytes);
  } catch (error) {
    throw corrupt(`a frame does not decompress (${error instanceof Error ? error.message : String(error)})`);
  }
  if (plain.length !== bytes) throw corrupt(`a frame has ${plain.length} bytes, not ${bytes}`);
  return plain;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
