/** Signals by number, and what each does by default: signal(7). */
export const Signal = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8,
  SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSTKFLT: 16,
  SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22, SIGURG: 23, SIGXCPU: 24,
  SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29, SIGPWR: 30, SIGSYS: 31,
} as const; // prettier-ignore

export const LAST_SIGNAL = 64;
export const FIRST_REALTIME = 32;

export type DefaultAction = 'terminate' | 'ignore' | 'stop' | 'continue';

const others: Readonly<Record<number, DefaultAction>> = {
  [Signal.SIGCHLD]: 'ignore',
  [Signal.SIGURG]: 'ignore',
  [Signal.SIGWINCH]: 'ignore',
  [Signal.SIGCONT]: 'continue',
  [Signal.SIGSTOP]: 'stop',
  [Signal.SIGTSTP]: 'stop',
  [Signal.SIGTTIN]: 'stop',
  [Signal.SIGTTOU]: 'stop',
};
export const defaultAction = (signal: number): DefaultAction => others[signal] ?? 'terminate';

const dumping: readonly number[] = [
  Signal.SIGQUIT,
  Signal.SIGILL,
  Signal.SIGTRAP,
  Signal.SIGABRT,
  Signal.SIGBUS,
  Signal.SIGFPE,
  Signal.SIGSEGV,
  Signal.SIGXCPU,
  Signal.SIGXFSZ,
  Signal.SIGSYS,
];
/** Whether wait status says "core dumped" where a core file would be allowed; none is written here. */
export const dumpsCore = (signal: number): boolean => dumping.includes(signal);

export const bit = (signal: number): bigint => 1n << BigInt(signal - 1);
/** Masks never hold these. */
export const UNBLOCKABLE = bit(Signal.SIGKILL) | bit(Signal.SIGSTOP);
export const STOP_SIGNALS =
  bit(Signal.SIGSTOP) | bit(Signal.SIGTSTP) | bit(Signal.SIGTTIN) | bit(Signal.SIGTTOU);
