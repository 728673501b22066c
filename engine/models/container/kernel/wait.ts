/** What a blocked task waits for, as data: a checkpoint holds it, and nothing of the host's. */

export interface Wait {
  readonly kind: WaitKind;
  /** `files`: ready when one of them is. */
  readonly files?: readonly { readonly fd: number; readonly events: number }[] | undefined;
  /** `child`: as waitid(2) selects. */
  readonly children?: { readonly type: number; readonly id: number; readonly options: number } | undefined;
  /** `futex`: which one, and the bits that a wake must have one of. */
  readonly futex?: { readonly key: string; readonly bits: number } | undefined;
  /** `signal`: a pending one of these, though blocked, ends the wait (rt_sigtimedwait). */
  readonly signals?: bigint | undefined;
  /** Monotonic nanoseconds. */
  readonly deadline?: bigint | undefined;
  /** Whether a handler with SA_RESTART lets the call begin anew; else it ends in EINTR. */
  readonly restart: boolean;
  /** Where the rest of the time goes when a signal ends it (nanosleep). */
  readonly remainder?: number | undefined;
}

export const waitKinds = ['files', 'child', 'futex', 'signal', 'vfork', 'time'] as const;
export type WaitKind = (typeof waitKinds)[number];

/** Thrown by a system call that cannot end yet: the task blocks, and makes the same call again when the wait is over. */
export class Blocked extends Error {
  override readonly name = 'Blocked';
  constructor(readonly wait: Wait) {
    super(wait.kind);
  }
}
