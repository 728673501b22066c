/** A set of open files to wait for: epoll(7). Level-triggered, whatever was asked. */
import type { Description } from '../kernel/description';
import { BaseFile } from '../vfs/base-file';
import { O, POLL } from '../vfs/constants';
import { anonymousLocation } from './anonymous';

export interface Interest {
  readonly fd: number;
  /** Not held: a file leaves the set when its last descriptor is closed. */
  readonly description: Description;
  readonly events: number;
  readonly data: bigint;
  /** False after EPOLLONESHOT has fired. */
  readonly armed: boolean;
}

const ALWAYS = POLL.ERR | POLL.HUP;
/** EPOLLONESHOT, EPOLLET and the like are no events. */
const EVENTS = 0xffff;

export class EpollFile extends BaseFile {
  /** In the order in which they were added. */
  interests: Interest[] = [];
  /** Sets may hold sets; a cycle of them must not recurse for ever. */
  private depth = 0;

  constructor(readonly id: number) {
    super(anonymousLocation(id, 0o600), O.RDWR);
  }

  find(fd: number, description: Description): Interest | undefined {
    this.forgetClosed();
    return this.interests.find((one) => one.fd === fd && one.description === description);
  }
  replace(old: Interest, next: Interest | undefined): void {
    const at = this.interests.indexOf(old);
    if (next) this.interests[at] = next;
    else this.interests.splice(at, 1);
  }

  /** What holds now, for at most `most` files. */
  ready(most: number): { interest: Interest; events: number }[] {
    this.forgetClosed();
    if (this.depth > 0 || most <= 0) return [];
    this.depth++;
    try {
      const found: { interest: Interest; events: number }[] = [];
      for (const interest of this.interests) {
        if (!interest.armed) continue;
        const events = interest.description.file.poll() & ((interest.events & EVENTS) | ALWAYS);
        if (events !== 0) found.push({ interest, events });
        if (found.length >= most) break;
      }
      return found;
    } finally {
      this.depth--;
    }
  }

  override poll(): number {
    return this.ready(1).length > 0 ? POLL.IN : 0;
  }
  private forgetClosed(): void {
    if (this.interests.some(({ description }) => !description.open)) {
      this.interests = this.interests.filter(({ description }) => description.open);
    }
  }
}
