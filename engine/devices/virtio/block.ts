/** Block device. OASIS virtio 1.2, section 5.2. */
import { record } from '../../snapshot/codec';
import { PageWanted } from '../device';
import type { Chain } from './chain';
import { VirtioFault } from './chain';
import { VirtioDevice } from './device';

/** What holds the blocks. Offsets and lengths are in bytes and inside the disk; the device checks them. */
export interface Disk {
  /** Bytes, a multiple of 512. */
  readonly size: number;
  /** To be asked before a request begins. @throws PageWanted when a part of the range has to be fetched first */
  require?(offset: number, length: number): void;
  /** Fills `into` from `offset` on. */
  readAt(offset: number, into: Uint8Array): void;
  /** False when the disk cannot take the bytes; the guest sees an I/O error. `from` may change afterwards. */
  writeAt(offset: number, from: Uint8Array): boolean;
  /** Makes a range read as zeros. False as in `writeAt`. */
  zeroAt(offset: number, length: number): boolean;
}

const SECTOR = 512;

/** Feature bits, section 5.2.3. */
const FEATURE = {
  sizeMax: 1,
  segmentMax: 2,
  readOnly: 5,
  blockSize: 6,
  flush: 9,
  topology: 10,
  discard: 13,
  writeZeroes: 14,
} as const;

/** Section 5.2.6: results. */
const STATUS = { ok: 0, ioError: 1, unsupported: 2 } as const;
type Status = (typeof STATUS)[keyof typeof STATUS];

const QUEUE_SIZE = 256;
/** Two descriptors of a chain are the header and the status. */
const SEGMENTS_MAXIMUM = QUEUE_SIZE - 2;
const SEGMENT_BYTES = 65_536;
/** Most data in one request, as the two limits above promise; larger ones fail, so that one request's time is bounded. */
const REQUEST_BYTES = SEGMENTS_MAXIMUM * SEGMENT_BYTES;
/** Most sectors of one discard: 64 MiB, bounds the time that a request takes. */
const RANGE_SECTORS = 131_072;
/** Disk pages are 4 KiB = 8 sectors: guests that know write whole pages. */
const PHYSICAL_BLOCK_EXPONENT = 3;

const HEADER_BYTES = 16;
const RANGE_BYTES = 16;
const IDENTITY_BYTES = 20;
const CONFIGURATION_BYTES = 60;
const UNMAP = 1;

/** Without state: requests end within `process`, and the disk saves itself. */
const layout = record('virtio-block', 1, {});

export interface VirtioBlockOptions {
  readonly disk: Disk;
  readonly readOnly?: boolean;
  /** What GET_ID answers: up to 20 ASCII characters, `/sys/block/vda/serial` on Linux. Default: empty. */
  readonly serial?: string;
}

export class VirtioBlock extends VirtioDevice {
  readonly kind = layout.name;
  readonly deviceId = 2;
  readonly pciClass = 0x0100;
  readonly features: bigint;
  readonly queueSizes = [QUEUE_SIZE];

  private readonly disk: Disk;
  private readonly readOnly: boolean;
  private readonly serial: Uint8Array;
  private readonly scratch = new Uint8Array(SEGMENT_BYTES);

  /** Request types, section 5.2.6, each with what it does to the data between header and status. */
  private readonly requests: Readonly<Record<number, (chain: Chain, sector: bigint) => Status>> = {
    0: (chain, sector) => this.readSectors(chain, sector),
    1: (chain, sector) => this.writeSectors(chain, sector),
    4: () => STATUS.ok, // FLUSH: what is written is in the guest's state, and the checkpoint makes it durable
    8: (chain) => this.identify(chain),
    11: (chain) => this.zeroRange(chain, 0),
    13: (chain) => this.zeroRange(chain, UNMAP),
  };

  constructor({ disk, readOnly = false, serial = '' }: VirtioBlockOptions) {
    super();
    if (disk.size % SECTOR !== 0) {
      throw new RangeError(`disk of ${disk.size} bytes: the size must be a multiple of 512; pad the image`);
    }
    if (!/^[\x20-\x7e]{0,20}$/.test(serial)) {
      throw new RangeError(`disk serial ${JSON.stringify(serial)}: use up to 20 printable ASCII characters`);
    }
    this.disk = disk;
    this.readOnly = readOnly;
    this.serial = new TextEncoder().encode(serial.padEnd(IDENTITY_BYTES, '\0'));
    const bits = [FEATURE.sizeMax, FEATURE.segmentMax, FEATURE.blockSize, FEATURE.flush, FEATURE.topology];
    const writing = readOnly ? [FEATURE.readOnly] : [FEATURE.discard, FEATURE.writeZeroes];
    this.features = [...bits, ...writing].reduce((set, bit) => set | (1n << BigInt(bit)), 0n);
  }

  /** Section 5.2.4. */
  configuration(): Uint8Array {
    const space = new DataView(new ArrayBuffer(CONFIGURATION_BYTES));
    space.setBigUint64(0, BigInt(this.disk.size / SECTOR), true); // capacity
    space.setUint32(8, SEGMENT_BYTES, true); // size_max
    space.setUint32(12, SEGMENTS_MAXIMUM, true); // seg_max
    space.setUint32(20, SECTOR, true); // blk_size
    space.setUint8(24, PHYSICAL_BLOCK_EXPONENT);
    space.setUint32(28, 1, true); // opt_io_size, in blocks
    space.setUint16(34, 1, true); // num_queues
    space.setUint32(36, RANGE_SECTORS, true); // max_discard_sectors
    space.setUint32(40, 1, true); // max_discard_seg
    space.setUint32(44, 1 << PHYSICAL_BLOCK_EXPONENT, true); // discard_sector_alignment
    space.setUint32(48, RANGE_SECTORS, true); // max_write_zeroes_sectors
    space.setUint32(52, 1, true); // max_write_zeroes_seg
    space.setUint8(56, 1); // write_zeroes_may_unmap
    return new Uint8Array(space.buffer);
  }

  process(index: number): void {
    const queue = this.queue(index);
    for (let left = queue.waiting(); left > 0; left--) {
      const chain = queue.take();
      try {
        this.serve(chain);
      } catch (error) {
        if (error instanceof PageWanted) queue.putBack();
        throw error;
      }
      queue.give(chain);
    }
  }

  /** A request is {type u32, reserved u32, sector u64}, data, {status u8}; any layout of descriptors (section 2.7.4). */
  private serve(chain: Chain): void {
    const { readable, writable } = chain;
    if (readable.remaining < HEADER_BYTES || writable.remaining < 1) {
      throw new VirtioFault('block request without header or status byte');
    }
    const header = new DataView(readable.take(HEADER_BYTES).buffer);
    const request = this.requests[header.getUint32(0, true)];
    const status = request ? request(chain, header.getBigUint64(8, true)) : STATUS.unsupported;
    writable.skip(writable.remaining - 1);
    writable.write(Uint8Array.of(status));
  }

  /** Byte offset of a transfer, or undefined when it is no whole number of sectors within the disk and the limits. */
  private place(sector: bigint, length: number): number | undefined {
    const offset = Number(sector) * SECTOR;
    const valid = length % SECTOR === 0 && length <= REQUEST_BYTES && offset + length <= this.disk.size;
    return valid ? offset : undefined;
  }

  private readSectors({ writable }: Chain, sector: bigint): Status {
    const length = writable.remaining - 1;
    const offset = this.place(sector, length);
    if (offset === undefined) return STATUS.ioError;
    this.disk.require?.(offset, length);
    for (let done = 0; done < length;) {
      const piece = this.scratch.subarray(0, Math.min(length - done, this.scratch.length));
      this.disk.readAt(offset + done, piece);
      writable.write(piece);
      done += piece.length;
    }
    return STATUS.ok;
  }

  private writeSectors({ readable }: Chain, sector: bigint): Status {
    const offset = this.place(sector, readable.remaining);
    if (offset === undefined || this.readOnly) return STATUS.ioError;
    this.disk.require?.(offset, readable.remaining);
    let at = offset;
    let taken = true;
    readable.stream(readable.remaining, (piece) => {
      taken &&= this.disk.writeAt(at, piece);
      at += piece.length;
    });
    return taken ? STATUS.ok : STATUS.ioError;
  }

  private identify({ writable }: Chain): Status {
    writable.write(this.serial.subarray(0, Math.min(writable.remaining - 1, IDENTITY_BYTES)));
    return STATUS.ok;
  }

  /** DISCARD and WRITE_ZEROES: one range {sector u64, sectors u32, flags u32}; both leave zeros. */
  private zeroRange({ readable }: Chain, allowedFlags: number): Status {
    if (this.readOnly) return STATUS.ioError;
    if (readable.remaining !== RANGE_BYTES) return STATUS.unsupported;
    const range = new DataView(readable.take(RANGE_BYTES).buffer);
    // Section 5.2.6.2: unknown flags, and unmap in a discard, are not supported.
    if (range.getUint32(12, true) & ~allowedFlags) return STATUS.unsupported;
    const sectors = range.getUint32(8, true);
    const offset = Number(range.getBigUint64(0, true)) * SECTOR;
    if (sectors > RANGE_SECTORS || offset + sectors * SECTOR > this.disk.size) return STATUS.ioError;
    this.disk.require?.(offset, sectors * SECTOR);
    return this.disk.zeroAt(offset, sectors * SECTOR) ? STATUS.ok : STATUS.ioError;
  }

  save(): Uint8Array {
    return layout.encode({});
  }
  restore(payload: Uint8Array): void {
    layout.decode(payload);
  }
}
