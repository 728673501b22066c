/** What a process does on each signal, and what waits to be delivered: state only. */
import { FIRST_REALTIME, LAST_SIGNAL, bit } from './signal-numbers';

export const DEFAULT = 0;
export const IGNORE = 1;

/** struct sigaction of riscv64: no restorer. `handler`: DEFAULT, IGNORE or an address. */
export interface SignalAction {
  readonly handler: number;
  readonly flags: number;
  readonly mask: bigint;
}

/** What siginfo_t tells. `value`: status of a child, sigval, or the address of a fault. */
export interface SignalInfo {
  readonly signal: number;
  /** si_code, signed. */
  readonly code: number;
  readonly pid: number;
  readonly uid: number;
  readonly value: bigint;
}

/** Shared by tasks that were cloned with CLONE_SIGHAND. */
export class SignalActions {
  constructor(private readonly rows = new Map<number, SignalAction>()) {}

  get(signal: number): SignalAction {
    return this.rows.get(signal) ?? { handler: DEFAULT, flags: 0, mask: 0n };
  }
  set(signal: number, action: SignalAction): void {
    if (action.handler === DEFAULT && action.flags === 0 && action.mask === 0n) this.rows.delete(signal);
    else this.rows.set(signal, action);
  }
  copy(): SignalActions {
    return new SignalActions(new Map(this.rows));
  }
  /** execve: handlers are gone, ignored signals stay ignored. */
  afterExec(): SignalActions {
    const kept = [...this.rows].filter(([, action]) => action.handler === IGNORE);
    return new SignalActions(
      new Map(kept.map(([signal]) => [signal, { handler: IGNORE, flags: 0, mask: 0n }])),
    );
  }
  get entries(): [number, SignalAction][] {
    return [...this.rows].sort(([a], [b]) => a - b);
  }
}

/** Signals sent and not yet delivered. A standard signal is there once at most; real-time ones queue. */
export class PendingSignals {
  queue: SignalInfo[] = [];

  get mask(): bigint {
    return this.queue.reduce((mask, { signal }) => mask | bit(signal), 0n);
  }
  add(info: SignalInfo): void {
    if (info.signal > LAST_SIGNAL) return;
    const known = this.queue.some(({ signal }) => signal === info.signal);
    if (known && info.signal < FIRST_REALTIME) return;
    // RLIMIT_SIGPENDING: a flood of real-time signals must not fill the host's memory.
    if (this.queue.length < 1024) this.queue.push(info);
  }
  /** Takes the lowest signal of `mask`, the oldest of its kind. */
  take(mask: bigint): SignalInfo | undefined {
    let best = -1;
    this.queue.forEach(({ signal }, i) => {
      const lower = best < 0 || signal < (this.queue[best] as SignalInfo).signal;
      if ((bit(signal) & mask) !== 0n && lower) best = i;
    });
    return best < 0 ? undefined : this.queue.splice(best, 1)[0];
  }
  drop(mask: bigint): void {
    this.queue = this.queue.filter(({ signal }) => (bit(signal) & mask) === 0n);
  }
}
