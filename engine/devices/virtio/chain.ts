/**
 * One buffer that the driver made available: the parts that the device may
 * read, then the parts that it may write. OASIS virtio 1.2, section 2.7.4.2.
 */
import type { BusMemory } from '../device';

/**
 * The driver broke a rule of the specification. The transport turns it into
 * DEVICE_NEEDS_RESET (section 2.1.2); it never leaves the device.
 */
export class VirtioFault extends Error {
  override readonly name = 'VirtioFault';
}

/** A contiguous part of a buffer, already checked to lie in RAM. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

/** A place in a list of segments that moves forward only. */
class Cursor {
  private index = 0;
  private offset = 0;
  /** Bytes between here and the end. */
  remaining: number;

  constructor(
    protected readonly memory: BusMemory,
    private readonly segments: readonly Segment[],
  ) {
    this.remaining = segments.reduce((sum, segment) => sum + segment.length, 0);
  }

  /** Visits the next `length` bytes, one contiguous piece at a time, and moves past them. */
  protected advance(length: number, visit: (address: number, length: number) => void): void {
    if (length > this.remaining) {
      throw new VirtioFault(`buffer has ${this.remaining} bytes left where ${length} are needed`);
    }
    this.remaining -= length;
    for (let left = length; left > 0;) {
      const segment = this.segments[this.index] as Segment;
      const piece = Math.min(left, segment.length - this.offset);
      if (piece > 0) visit(segment.address + this.offset, piece);
      left -= piece;
      this.offset += piece;
      if (this.offset === segment.length) {
        this.index++;
        this.offset = 0;
      }
    }
  }
}

/** The device-readable part. */
export class ChainReader extends Cursor {
  /** Hands the next `length` bytes to `consume` in pieces, without copying. Pieces are valid during the call only. */
  stream(length: number, consume: (piece: Uint8Array) => void): void {
    this.advance(length, (address, size) => consume(this.memory.view(address, size)));
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Uint8Array {
    if (length > this.remaining) {
      throw new VirtioFault(`buffer has ${this.remaining} bytes left where ${length} are needed`);
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    this.stream(length, (piece) => {
      bytes.set(piece, at);
      at += piece.length;
    });
    return bytes;
  }
}

/** The device-writable part. */
export class ChainWriter extends Cursor {
  /** Bytes written from the start on: what the used ring reports (section 2.7.8.2). */
  written = 0;
  private gap = false;

  write(bytes: Uint8Array): void {
    let at = 0;
    this.advance(bytes.length, (address, size) => {
      this.memory.write(address, bytes.subarray(at, at + size));
      at += size;
    });
    if (!this.gap) this.written += bytes.length;
  }

  /** Leaves `length` bytes as they are. What is written after a gap does not count as written from the start. */
  skip(length: number): void {
    this.advance(length, () => {});
    if (length > 0) this.gap = true;
  }
}

export class Chain {
  readonly readable: ChainReader;
  readonly writable: ChainWriter;

  constructor(
    /** Index of its first descriptor: the buffer's name in the used ring. */
    readonly head: number,
    memory: BusMemory,
    readable: readonly Segment[],
    writable: readonly Segment[],
  ) {
    this.readable = new ChainReader(memory, readable);
    this.writable = new ChainWriter(memory, writable);
  }
}
