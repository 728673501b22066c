/** Looks at a guest from outside, through the store: what is committed, and nothing else. */
import type { CheckpointStore, Head, SliceMetrics } from '../../lambdas/store/store';
import { DemoError } from './errors';

const LOOK_EVERY_MS = 100;

export class Observer {
  /** Console output so far, without terminal control sequences. */
  text = '';
  private offset = 0;
  private failure: string | undefined;

  constructor(
    private readonly store: CheckpointStore,
    private readonly guest: string,
    private readonly show: (bytes: Uint8Array) => void,
  ) {}

  /** Ends every wait: something around the guest broke. */
  fail(message: string): void {
    this.failure ??= message;
  }

  head(): Promise<Head | undefined> {
    return this.store.head(this.guest);
  }

  metrics(): Promise<SliceMetrics[]> {
    return this.store.readMetrics(this.guest);
  }

  /** Follows the console until `arrived` gives something. @throws DemoError after `seconds`, or when the guest failed. */
  async until<T>(
    what: string,
    seconds: number,
    arrived: (head: Head) => T | undefined | Promise<T | undefined>,
  ): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      // The head first: what it names is there to be read.
      const head = await this.head();
      await this.readConsole();
      const found = head === undefined ? undefined : await arrived(head);
      if (found !== undefined) return found;
      if (this.failure !== undefined) throw new DemoError(`${what}: ${this.failure}`);
      if (head?.status === 'failed' || head?.status === 'suspended') {
        throw new DemoError(`${what}: the guest is ${head.status}: ${head.reason ?? 'no reason given'}`);
      }
      if (Date.now() > deadline) {
        throw new DemoError(
          `${what}: not within ${seconds} s; the guest is ${head?.status ?? 'not there'} at generation ` +
            `${head?.generation ?? 0}, and its console ends in ${JSON.stringify(this.text.slice(-200))}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  private async readConsole(): Promise<void> {
    const { bytes, next } = await this.store.readConsole(this.guest, this.offset);
    if (bytes.length === 0) return;
    this.offset = next;
    this.text += Buffer.from(bytes)
      .toString('latin1')
      .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
      .replace(/\r/g, '');
    this.show(bytes);
  }
}
