/** A counter that can be waited for: eventfd(2). */
import { Errno } from '../errno';
import { BaseFile } from '../vfs/base-file';
import { O, POLL } from '../vfs/constants';
import { WOULD_BLOCK, type WouldBlock } from '../vfs/open-file';
import { anonymousLocation } from './anonymous';

const MOST = (1n << 64n) - 2n;

export class EventCounter extends BaseFile {
  constructor(
    readonly id: number,
    public count: bigint,
    /** EFD_SEMAPHORE: a read takes one. */
    readonly semaphore: boolean,
    flags: number,
  ) {
    super(anonymousLocation(id, 0o600), O.RDWR | flags);
  }

  override read(into: Uint8Array): number | WouldBlock {
    if (into.length < 8) throw new Errno('EINVAL');
    if (this.count === 0n) return WOULD_BLOCK;
    const taken = this.semaphore ? 1n : this.count;
    this.count -= taken;
    new DataView(into.buffer, into.byteOffset).setBigUint64(0, taken, true);
    return 8;
  }
  override write(from: Uint8Array): number | WouldBlock {
    if (from.length < 8) throw new Errno('EINVAL');
    const added = new DataView(from.buffer, from.byteOffset).getBigUint64(0, true);
    if (added > MOST) throw new Errno('EINVAL');
    if (this.count + added > MOST) return WOULD_BLOCK;
    this.count += added;
    return 8;
  }
  override poll(): number {
    return (this.count > 0n ? POLL.IN : 0) | (this.count < MOST ? POLL.OUT : 0);
  }
}
