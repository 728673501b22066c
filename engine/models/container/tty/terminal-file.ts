/** /dev/console and /dev/tty as open files: ioctl_tty(2). */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { IGNORE } from '../kernel/signal-state';
import { Signal, bit } from '../kernel/signal-numbers';
import { fromKernel, signalProcess } from '../kernel/signals';
import { Blocked } from '../kernel/wait';
import { BaseFile } from '../vfs/base-file';
import { POLL } from '../vfs/constants';
import type { Location } from '../vfs/location';
import { WOULD_BLOCK, type UserMemory, type WouldBlock } from '../vfs/open-file';
import type { Terminal } from './terminal';
import { TERMIOS_SIZE } from './termios';

type Request = (file: TerminalFile, argument: bigint, memory: UserMemory) => number;

const word = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);
const readWord = (memory: UserMemory, address: bigint): number => {
  const bytes = memory.read(address, 4);
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
};
const answer =
  (value: (file: TerminalFile) => Uint8Array): Request =>
  (file, argument, memory) => {
    memory.write(argument, value(file));
    return 0;
  };
const set =
  (flush: boolean): Request =>
  ({ terminal }, argument, memory) => {
    terminal.configure(memory.read(argument, TERMIOS_SIZE), flush);
    return 0;
  };

/** TIOCSPGRP: only for groups of the session. */
const setForeground: Request = (file, argument, memory) => {
  const { kernel, terminal } = file;
  const group = readWord(memory, argument);
  file.checkSession();
  if (file.stopInBackground(Signal.SIGTTOU)) throw new Blocked({ kind: 'signal', restart: true });
  const known = [...kernel.processes.values()].find((process) => process.group === group);
  if (!known) throw new Errno('ESRCH');
  if (known.session !== terminal.session) throw new Errno('EPERM');
  terminal.foreground = group;
  return 0;
};

const becomeControlling: Request = ({ kernel, terminal }) => {
  const { process } = kernel.current;
  if (terminal.session === process.session) return 0;
  if (process.session !== process.pid) throw new Errno('EPERM');
  const owner = kernel.processes.get(terminal.session);
  if (terminal.session !== 0 && owner) throw new Errno('EPERM');
  terminal.session = process.session;
  terminal.foreground = process.group;
  return 0;
};

const giveUp: Request = (file) => {
  const { kernel, terminal } = file;
  file.checkSession();
  if (kernel.current.process.pid === terminal.session) {
    terminal.session = 0;
    terminal.foreground = 0;
  }
  return 0;
};

const flush: Request = ({ terminal }, argument) => {
  if (argument > 2n) throw new Errno('EINVAL');
  if (argument !== 1n) terminal.flushInput();
  return 0;
};

/** struct termios2: struct termios, then input and output speed in baud. */
const BAUD = Uint32Array.of(38400, 38400);
const getTermios2 = answer(({ terminal }) => {
  const bytes = new Uint8Array(TERMIOS_SIZE + BAUD.byteLength);
  bytes.set(terminal.termios);
  bytes.set(new Uint8Array(BAUD.buffer), TERMIOS_SIZE);
  return bytes;
});

/** By number, asm-generic/ioctls.h. */
const requests: ReadonlyMap<number, Request> = new Map([
  [0x5401, answer(({ terminal }) => terminal.termios)], // TCGETS
  [0x5402, set(false)], // TCSETS
  [0x5403, set(false)], // TCSETSW
  [0x5404, set(true)], // TCSETSF
  [0x802c542a, getTermios2], // TCGETS2
  [0x402c542b, set(false)], // TCSETS2
  [0x402c542c, set(false)], // TCSETSW2
  [0x402c542d, set(true)], // TCSETSF2
  [0x5409, () => 0], // TCSBRK
  [0x540a, () => 0], // TCXONC
  [0x540b, flush], // TCFLSH
  [0x540e, becomeControlling], // TIOCSCTTY
  [0x540f, answer((file) => word(file.checkSession().foreground))], // TIOCGPGRP
  [0x5410, setForeground], // TIOCSPGRP
  [0x5411, answer(() => word(0))], // TIOCOUTQ
  [0x5413, answer(({ terminal }) => new Uint8Array(terminal.windowSize.slice().buffer))], // TIOCGWINSZ
  [
    0x5414, // TIOCSWINSZ
    ({ terminal }, argument, memory) => {
      terminal.resize(new Uint16Array(memory.read(argument, 8).slice().buffer));
      return 0;
    },
  ],
  [0x541b, answer(({ terminal }) => word(terminal.readable))], // FIONREAD
  [0x5422, giveUp], // TIOCNOTTY
  [0x5429, answer((file) => word(file.checkSession().session))], // TIOCGSID
]);

export class TerminalFile extends BaseFile {
  readonly terminal: Terminal;

  constructor(
    readonly kernel: Kernel,
    location: Location,
    flags: number,
  ) {
    super(location, flags);
    this.terminal = kernel.terminal;
  }

  override read(into: Uint8Array): number | WouldBlock {
    this.checkReadable();
    if (this.stopInBackground(Signal.SIGTTIN)) return WOULD_BLOCK;
    if (into.length === 0) return 0;
    return this.terminal.read(into) ?? WOULD_BLOCK;
  }
  override write(from: Uint8Array): number | WouldBlock {
    this.checkWritable();
    if (this.terminal.stopsBackgroundWrites && this.stopInBackground(Signal.SIGTTOU)) return WOULD_BLOCK;
    this.terminal.write(from);
    return from.length;
  }
  override poll(): number {
    const { terminal } = this;
    return POLL.OUT | (terminal.waiting.length > 0 ? POLL.IN : 0);
  }
  override ioctl(request: number, argument: bigint, memory: UserMemory): number {
    return (requests.get(request) ?? (() => super.ioctl(request, argument, memory)))(this, argument, memory);
  }

  /** @throws Errno ENOTTY unless the terminal controls the caller's session */
  checkSession(): Terminal {
    if (this.kernel.current.process.session !== this.terminal.session) throw new Errno('ENOTTY');
    return this.terminal;
  }

  /**
   * A background process of the terminal's session gets the signal and tries
   * again when it is continued. @returns whether it has to wait for that
   */
  stopInBackground(signal: number): boolean {
    const { kernel, terminal } = this;
    const task = kernel.current;
    const { process } = task;
    if (process.session !== terminal.session || process.group === terminal.foreground) return false;
    const ignored = (task.blocked & bit(signal)) !== 0n || task.actions.get(signal).handler === IGNORE;
    if (ignored) {
      if (signal === Signal.SIGTTIN) throw new Errno('EIO');
      return false;
    }
    for (const other of [...kernel.processes.values()]) {
      if (other.group === process.group) signalProcess(kernel, other, fromKernel(signal));
    }
    return true;
  }
}
