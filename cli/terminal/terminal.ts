/**
 * The user's terminal as the guest's console: raw while the guest runs, and
 * given back as it was on every way out. Streams that are no terminals (pipes,
 * files) work the same, without a mode to set.
 */
import { ESCAPE_HELP, feedKeys, NO_ESCAPE, type EscapeState } from './escape-keys';

/** Only streams pass an argument. */
interface Source {
  on(event: string, listener: (bytes: Buffer) => void): unknown;
  off(event: string, listener: (bytes: Buffer) => void): unknown;
}

/** What we need of a process: its streams and its events. `process` is one; tests bring their own. */
export interface TerminalHost extends Source {
  readonly stdin: NodeJS.ReadableStream & {
    readonly isTTY?: boolean;
    setRawMode?(raw: boolean): unknown;
    unref?(): unknown;
  };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Why the session ends though the guest runs: the user quit, a signal came, or nobody reads our output any more. */
export type Ending =
  | { readonly cause: 'quit' }
  | { readonly cause: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly cause: 'closed' };

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What setTimeout takes at most, in milliseconds. */
const LONGEST_TIMEOUT = 0x7fffffff;

export class Terminal {
  private readonly host: TerminalHost;
  private readonly detach: (() => void)[] = [];
  private escape: EscapeState = NO_ESCAPE;
  private typed: Uint8Array[] = [];
  private readonly wakers = new Set<() => void>();
  private ended: Ending | undefined;
  private inputOver = false;
  private open = true;

  constructor(host: TerminalHost) {
    this.host = host;
    const { stdin, stdout } = host;
    this.listen(stdin, 'data', (bytes: Buffer) => this.receive(bytes));
    for (const event of ['end', 'close', 'error']) this.listen(stdin, event, () => this.endInput());
    this.listen(stdout, 'drain', () => this.wake());
    this.listen(stdout, 'error', () => this.end({ cause: 'closed' }));
    for (const signal of SIGNALS) this.listen(host, signal, () => this.end({ cause: 'signal', signal }));
    // Whoever was stopped and is continued finds the terminal as the shell left it.
    this.listen(host, 'SIGCONT', () => this.setRaw(true));
    this.listen(host, 'exit', () => this.close());
    this.setRaw(true);
    stdin.resume();
  }

  /** Set once; the session then stops at the next burst. */
  get ending(): Ending | undefined {
    return this.ended;
  }

  /** No key will ever come again. */
  get inputEnded(): boolean {
    return this.inputOver && this.typed.length === 0;
  }

  /** What was typed for the guest since the last call. */
  takeTyped(): Uint8Array {
    const bytes = Buffer.concat(this.typed);
    this.typed = [];
    return bytes;
  }

  /** Resolves when the terminal can take more, or will never again. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.ended?.cause === 'closed' || this.host.stdout.write(bytes)) return;
    // Not for the drain alone: keys and endings must get through to a user who stopped the output.
    await new Promise<void>((resolve) => this.wakers.add(resolve));
  }

  /** Resolves at a key, at an ending, or after `milliseconds`; undefined waits as long as it takes. */
  wait(milliseconds: number | undefined): Promise<void> {
    if (this.typed.length > 0 || this.ended !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const awake = () => {
        clearTimeout(timer);
        this.wakers.delete(awake);
        resolve();
      };
      this.wakers.add(awake);
      // Waking too early does no harm: the caller asks again.
      const timer = setTimeout(awake, Math.min(milliseconds ?? LONGEST_TIMEOUT, LONGEST_TIMEOUT));
    });
  }

  /** Gives the terminal back. May be called at any time, more than once. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.setRaw(false);
    for (const detach of this.detach) detach();
    // A listener must stay: an EPIPE after the end would otherwise be an uncaught error.
    this.host.stdout.on('error', () => undefined);
    this.host.stdin.pause();
    this.host.stdin.unref?.();
  }

  /** The constructor's listeners, each of them taken off by `close`. */
  private listen(source: Source, event: string, listener: (bytes: Buffer) => void): void {
    source.on(event, listener);
    this.detach.push(() => source.off(event, listener));
  }

  private receive(bytes: Uint8Array): void {
    const { state, guest, actions } = feedKeys(this.escape, bytes);
    this.escape = state;
    if (guest.length > 0) this.typed.push(guest);
    if (actions.includes('help')) this.host.stderr.write(`\r\n${ESCAPE_HELP.join('\r\n')}\r\n`);
    if (actions.includes('quit')) this.end({ cause: 'quit' });
    this.wake();
  }

  private endInput(): void {
    this.inputOver = true;
    this.wake();
  }

  private end(ending: Ending): void {
    this.ended ??= ending;
    this.wake();
  }

  private wake(): void {
    const wakers = [...this.wakers];
    this.wakers.clear();
    for (const waker of wakers) waker();
  }

  private setRaw(raw: boolean): void {
    const { stdin } = this.host;
    if (stdin.isTTY === true && (!raw || this.open)) stdin.setRawMode?.(raw);
  }
}
