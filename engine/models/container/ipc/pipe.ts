/** Pipes and FIFOs: pipe(7). */
import { Errno } from '../errno';
import { BaseFile } from '../vfs/base-file';
import { O, POLL, S } from '../vfs/constants';
import type { Location } from '../vfs/location';
import { WOULD_BLOCK, type UserMemory, type WouldBlock } from '../vfs/open-file';
import { anonymousLocation } from './anonymous';

export const PIPE_CAPACITY = 65536;
/** Writes up to this size are not mixed with others. */
const PIPE_BUF = 4096;
const FIONREAD = 0x541b;

/** Bytes between writers and readers. */
export class Pipe {
  private buffer = new Uint8Array(0);
  private start = 0;
  private end = 0;
  readers = 0;
  writers = 0;

  constructor(
    readonly id: number,
    readonly capacity = PIPE_CAPACITY,
    /** A FIFO's: nobody is missed before the first has come. */
    readonly named = false,
    private readonly whenUnused: (pipe: Pipe) => void = () => undefined,
  ) {}

  /** One side less. */
  leave(side: 'readers' | 'writers'): void {
    this[side]--;
    if (this.readers + this.writers === 0) this.whenUnused(this);
  }

  get length(): number {
    return this.end - this.start;
  }
  get room(): number {
    return this.capacity - this.length;
  }
  get contents(): Uint8Array {
    return this.buffer.slice(this.start, this.end);
  }

  put(bytes: Uint8Array): void {
    if (this.end + bytes.length > this.buffer.length) {
      const larger = new Uint8Array(
        Math.min(this.capacity, Math.max(PIPE_BUF, 2 * (this.length + bytes.length))),
      );
      larger.set(this.buffer.subarray(this.start, this.end));
      this.end -= this.start;
      this.start = 0;
      this.buffer = larger;
    }
    this.buffer.set(bytes, this.end);
    this.end += bytes.length;
  }
  take(into: Uint8Array): number {
    const count = Math.min(into.length, this.length);
    into.set(this.buffer.subarray(this.start, this.start + count));
    this.start += count;
    if (this.start === this.end) this.start = this.end = 0;
    return count;
  }
}

/** One end of a pipe, or of a FIFO both. */
export class PipeEnd extends BaseFile {
  constructor(
    readonly pipe: Pipe,
    flags: number,
    location: Location = anonymousLocation(pipe.id, S.IFIFO | 0o600),
    /** Called at the end of writing to a pipe that nobody will read. */
    private readonly broken: () => void = () => undefined,
  ) {
    super(location, flags);
    if (this.reads) pipe.readers++;
    if (this.writes) pipe.writers++;
  }

  get reads(): boolean {
    return (this.flags & O.ACCMODE) !== O.WRONLY;
  }
  get writes(): boolean {
    return (this.flags & O.ACCMODE) !== O.RDONLY;
  }

  override read(into: Uint8Array): number | WouldBlock {
    this.checkReadable();
    if (into.length === 0) return 0;
    const count = this.pipe.take(into);
    if (count > 0) {
      this.offset = 1;
      return count;
    }
    if (this.pipe.writers > 0) {
      this.offset = 1;
      return WOULD_BLOCK;
    }
    return this.waitsForPeer ? WOULD_BLOCK : 0;
  }

  override write(from: Uint8Array): number | WouldBlock {
    this.checkWritable();
    const { pipe } = this;
    if (pipe.readers === 0) {
      if (this.waitsForPeer) return WOULD_BLOCK;
      this.broken();
      throw new Errno('EPIPE');
    }
    this.offset = 1;
    const count = Math.min(from.length, pipe.room);
    if (count < from.length && (from.length <= PIPE_BUF || count === 0)) return WOULD_BLOCK;
    pipe.put(from.subarray(0, count));
    return count;
  }

  override poll(): number {
    const { pipe } = this;
    let events = 0;
    if (this.reads) {
      if (pipe.length > 0) events |= POLL.IN;
      if (pipe.writers === 0 && !this.waitsForPeer) events |= POLL.HUP;
    }
    if (this.writes) {
      if (pipe.readers === 0) {
        if (!this.waitsForPeer) events |= POLL.ERR | POLL.OUT;
      } else if (pipe.room >= PIPE_BUF) events |= POLL.OUT;
    }
    return events;
  }

  override ioctl(request: number, argument: bigint, memory: UserMemory): number {
    if (request !== FIONREAD) return super.ioctl(request, argument, memory);
    memory.write(argument, new Uint8Array(Int32Array.of(this.pipe.length).buffer));
    return 0;
  }

  override close(): void {
    super.close();
    if (this.reads) this.pipe.leave('readers');
    if (this.writes) this.pipe.leave('writers');
  }

  /**
   * Linux lets the open of a FIFO wait for the other side. Here the open
   * returns and the first transfer waits; `offset` 1 says that it has been there.
   */
  private get waitsForPeer(): boolean {
    return this.pipe.named && this.offset === 0 && (this.flags & O.NONBLOCK) === 0;
  }
}
