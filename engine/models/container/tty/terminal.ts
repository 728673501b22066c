/** The container's console as a Linux terminal: line discipline N_TTY, job control. Linux: drivers/tty/n_tty.c. */
import type { Kernel } from '../kernel/kernel';
import { Signal } from '../kernel/signal-numbers';
import { fromKernel, signalProcess } from '../kernel/signals';
import type { Process } from '../kernel/task';
import { Control, Input, Local, Output, freshTermios } from './termios';

/** What one line may hold (MAX_CANON's Linux value), and what waits at most; more is dropped. */
const LONGEST_LINE = 4095;
const MOST_WAITING = 1 << 20;
const NEWLINE = 10;
const RETURN = 13;
const DELETE = 127;

export class Terminal {
  termios = freshTermios();
  /** rows, columns, and both in pixels. */
  windowSize = new Uint16Array([24, 80, 0, 0]);
  /** Process group in the foreground, and the session that the terminal controls; 0: none. */
  foreground = 0;
  session = 0;
  /** The line being typed. */
  line: number[] = [];
  /** Lines that can be read; without canonical mode, pieces. An empty one is an end of file. */
  waiting: Uint8Array[] = [];

  constructor(
    private readonly kernel: Kernel,
    private readonly output: (bytes: Uint8Array) => void,
  ) {}

  private flag(word: number, bit: number): boolean {
    return (new DataView(this.termios.buffer).getUint32(word * 4, true) & bit) !== 0;
  }
  private input(bit: number): boolean {
    return this.flag(0, bit);
  }
  private local(bit: number): boolean {
    return this.flag(3, bit);
  }
  control(index: number): number {
    return this.termios[17 + index] as number;
  }
  get canonical(): boolean {
    return this.local(Local.ICANON);
  }
  get stopsBackgroundWrites(): boolean {
    return this.local(Local.TOSTOP);
  }
  get readable(): number {
    return this.waiting.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** What a program writes. */
  write(bytes: Uint8Array): void {
    if (!this.flag(1, Output.OPOST) || !this.flag(1, Output.ONLCR) || !bytes.includes(NEWLINE)) {
      this.output(bytes);
      return;
    }
    const out: number[] = [];
    for (const byte of bytes) {
      if (byte === NEWLINE) out.push(RETURN);
      out.push(byte);
    }
    this.output(Uint8Array.from(out));
  }

  /** What is typed. */
  type(bytes: Uint8Array): void {
    this.kernel.stirred = true;
    for (const byte of bytes) this.receive(this.input(Input.ISTRIP) ? byte & 0x7f : byte);
  }

  private receive(typed: number): void {
    let byte = typed;
    if (byte === RETURN) {
      if (this.input(Input.IGNCR)) return;
      if (this.input(Input.ICRNL)) byte = NEWLINE;
    } else if (byte === NEWLINE && this.input(Input.INLCR)) byte = RETURN;
    if (this.local(Local.ISIG) && this.signalFor(byte)) return;
    if (!this.canonical) {
      this.echo(byte);
      if (this.readable < MOST_WAITING) this.waiting.push(Uint8Array.of(byte));
      return;
    }
    if (byte !== 0 && this.edit(byte)) return;
    if (byte === NEWLINE || (byte !== 0 && byte === this.control(Control.EOL))) {
      if (this.local(Local.ECHO) || this.local(Local.ECHONL)) this.write(Uint8Array.of(byte));
      this.line.push(byte);
      this.endLine();
      return;
    }
    if (this.line.length >= LONGEST_LINE) return;
    this.line.push(byte);
    this.echo(byte);
  }

  private signalFor(byte: number): boolean {
    const signals = [
      [Control.INTR, Signal.SIGINT],
      [Control.QUIT, Signal.SIGQUIT],
      [Control.SUSP, Signal.SIGTSTP],
    ] as const;
    const found = signals.find(([index]) => byte !== 0 && byte === this.control(index));
    if (!found) return false;
    this.line = [];
    this.waiting = [];
    if (this.local(Local.ECHO)) this.echo(byte);
    this.signalForeground(found[1]);
    return true;
  }

  signalForeground(signal: number): void {
    for (const process of [...this.kernel.processes.values()]) {
      if (process.group === this.foreground) signalProcess(this.kernel, process, fromKernel(signal));
    }
  }

  /** Erase, kill, word erase and end of file; true when the byte was one of them. */
  private edit(byte: number): boolean {
    if (byte === this.control(Control.ERASE)) this.erase(Math.min(1, this.line.length));
    else if (byte === this.control(Control.KILL)) this.erase(this.line.length);
    else if (byte === this.control(Control.WERASE)) {
      let at = this.line.length;
      while (at > 0 && this.line[at - 1] === 32) at--;
      while (at > 0 && this.line[at - 1] !== 32) at--;
      this.erase(this.line.length - at);
    } else if (byte === this.control(Control.EOF)) this.endLine();
    else return false;
    return true;
  }

  private erase(count: number): void {
    for (let i = 0; i < count; i++) {
      const gone = this.line.pop() as number;
      if (!this.local(Local.ECHO) || !this.local(Local.ECHOE)) continue;
      const columns = gone < 32 || gone === DELETE ? 2 : 1;
      for (let column = 0; column < columns; column++) this.write(Uint8Array.of(8, 32, 8));
    }
  }

  private endLine(): void {
    if (this.readable < MOST_WAITING) this.waiting.push(Uint8Array.from(this.line));
    this.line = [];
  }

  private echo(byte: number): void {
    if (!this.local(Local.ECHO)) return;
    const control = (byte < 32 && byte !== NEWLINE && byte !== 9) || byte === DELETE;
    if (control && this.local(Local.ECHOCTL)) this.write(Uint8Array.of(94, byte ^ 64));
    else this.write(Uint8Array.of(byte));
  }

  /** Bytes of one line, or of what there is; 0 at an end of file, undefined when nothing waits. */
  read(into: Uint8Array): number | undefined {
    const first = this.waiting[0];
    if (!first) return this.canonical || this.control(Control.MIN) > 0 ? undefined : 0;
    if (first.length === 0) {
      this.waiting.shift();
      return 0;
    }
    let count = 0;
    while (count < into.length) {
      const piece = this.waiting[0];
      if (!piece || piece.length === 0) break;
      const part = piece.subarray(0, into.length - count);
      into.set(part, count);
      count += part.length;
      if (part.length < piece.length) this.waiting[0] = piece.slice(part.length);
      else this.waiting.shift();
      if (this.canonical) break;
    }
    return count;
  }

  /** TCSETS. A line in the making can be read at once when canonical mode ends. */
  configure(termios: Uint8Array, flush: boolean): void {
    if (flush) this.flushInput();
    this.termios = termios.slice();
    if (!this.canonical && this.line.length > 0) this.endLine();
  }
  flushInput(): void {
    this.line = [];
    this.waiting = [];
  }
  resize(size: Uint16Array<ArrayBuffer>): void {
    if (size.every((value, i) => value === this.windowSize[i])) return;
    this.windowSize = size;
    this.signalForeground(Signal.SIGWINCH);
  }

  /** The session's leader is gone: the terminal hangs up. */
  processExited(process: Process): void {
    if (process.pid !== this.session || process.session !== process.pid) return;
    this.session = 0;
    this.signalForeground(Signal.SIGHUP);
    this.signalForeground(Signal.SIGCONT);
    this.foreground = 0;
  }
}
