/** Two connected stream sockets of the domain UNIX: socketpair(2), unix(7). */
import { Errno } from '../errno';
import { BaseFile } from '../vfs/base-file';
import { O, POLL, S } from '../vfs/constants';
import { WOULD_BLOCK, type WouldBlock } from '../vfs/open-file';
import { anonymousLocation } from './anonymous';
import type { Pipe } from './pipe';

/** Reads from one pipe and writes to the other; the peer has them the other way round. */
export class SocketEnd extends BaseFile {
  constructor(
    readonly id: number,
    readonly incoming: Pipe,
    readonly outgoing: Pipe,
    flags: number,
    private readonly broken: () => void,
  ) {
    super(anonymousLocation(id, S.IFSOCK | 0o777), O.RDWR | flags);
    incoming.readers++;
    outgoing.writers++;
  }

  override read(into: Uint8Array): number | WouldBlock {
    if (into.length === 0) return 0;
    const count = this.incoming.take(into);
    return count > 0 || this.incoming.writers === 0 ? count : WOULD_BLOCK;
  }
  override write(from: Uint8Array): number | WouldBlock {
    if (this.outgoing.readers === 0) {
      this.broken();
      throw new Errno('EPIPE');
    }
    const count = Math.min(from.length, this.outgoing.room);
    if (count === 0 && from.length > 0) return WOULD_BLOCK;
    this.outgoing.put(from.subarray(0, count));
    return count;
  }
  override poll(): number {
    const { incoming, outgoing } = this;
    const gone = incoming.writers === 0;
    const readable = incoming.length > 0 || gone ? POLL.IN : 0;
    const writable = outgoing.room > 0 || outgoing.readers === 0 ? POLL.OUT : 0;
    return readable | writable | (gone ? POLL.HUP | POLL.RDHUP : 0);
  }
  override close(): void {
    super.close();
    this.incoming.leave('readers');
    this.outgoing.leave('writers');
  }
}
