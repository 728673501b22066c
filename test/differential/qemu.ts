import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fields } from './architectural-state';
import { tools } from './toolchain';

/**
 * The CPU that both sides are: RV64GC, Zba, Zbb, Zbs, Sstc. What QEMU has on
 * by default beyond that is off, or its instructions and CSRs would not trap.
 */
export const cpu = 'rv64,h=false,v=false,zba=true,zbb=true,zbs=true,zbc=false,debug=false,sstc=true';

/** One state of the hart, before the instruction at its pc. The arrays are reused from record to record. */
export interface TraceRecord {
  /** Values of `architectural-state.ts`'s fields, unsigned. */
  readonly values: BigUint64Array;
}

export interface QemuOptions {
  readonly memoryMebibytes: number;
  /** Further command-line options, e.g. `-kernel`. */
  readonly options?: readonly string[];
  /** Ends QEMU after so many seconds: a guest that waits for ever prints nothing. */
  readonly timeoutSeconds?: number;
}

/**
 * `maxcpus=2` with one hart: only then does QEMU 7.2 execute atomics as one
 * access, so that a fault of an AMO is a store's, as the manual wants it.
 */
export function qemuArguments(firmware: string, log: string, options: QemuOptions): string[] {
  return [
    '-M', 'virt', '-cpu', cpu, '-m', String(options.memoryMebibytes), '-smp', '1,maxcpus=2', '-bios', firmware,
    '-display', 'none', '-monitor', 'none', '-serial', 'none', '-no-reboot',
    '-singlestep', '-d', 'nochain,cpu,fpu,exec', '-D', log, ...(options.options ?? []),
  ]; // prettier-ignore
}

/** A QEMU process that executes one instruction a translation block and logs the state before each. */
export class QemuTrace {
  private constructor(
    private readonly child: ChildProcess,
    private readonly handle: FileHandle,
    private readonly directory: string,
  ) {}

  /** Runs `use` on a QEMU that ends with it, however it ends. */
  static async use<Result>(
    image: Uint8Array,
    options: QemuOptions,
    use: (trace: QemuTrace) => Result,
  ): Promise<Result> {
    const trace = await QemuTrace.start(image, options);
    try {
      return use(trace);
    } finally {
      await trace.stop();
    }
  }

  /** Starts QEMU with `image` as firmware at 0x80000000. Whoever starts it must stop it. */
  static async start(image: Uint8Array, options: QemuOptions): Promise<QemuTrace> {
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-'));
    const log = join(directory, 'log');
    const firmware = join(directory, 'image.bin');
    writeFileSync(firmware, image);
    // A named pipe: QEMU's log to a file is buffered, to stderr it is not and takes five times as long.
    execFileSync('mkfifo', [log]);
    const child = spawn(
      'timeout',
      [
        '-s',
        'KILL',
        String(options.timeoutSeconds ?? 120),
        tools.qemu,
        ...qemuArguments(firmware, log, options),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let messages = '';
    child.stderr?.on('data', (chunk: Buffer) => (messages += chunk.toString()));
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) =>
        reject(new Error(`${tools.qemu} ended with ${code} before its log began: ${messages}`)),
      );
    });
    const opening = open(log, 'r');
    try {
      const handle = await Promise.race([opening, ended]);
      ended.catch(() => undefined);
      return new QemuTrace(child, handle, directory);
    } catch (error) {
      // Releases the reader that waits in `opening`.
      await Promise.all([
        opening.then((handle) => handle.close()),
        open(log, 'r+').then((handle) => handle.close()),
      ]);
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** The records, read synchronously while QEMU runs beside us. Ends when QEMU does. */
  *records(): Generator<TraceRecord> {
    const parser = new TraceParser();
    const chunk = Buffer.allocUnsafe(1 << 16);
    for (;;) {
      const length = readSync(this.handle.fd, chunk, 0, chunk.length, null);
      yield* parser.push(chunk, length);
      if (length === 0) return;
    }
  }

  async stop(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) resolve();
      else this.child.once('exit', () => resolve());
    });
    await this.handle.close();
    this.child.kill('SIGTERM');
    await gone;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const newline = 0x0a;
const capitalS = 0x53;
const capitalT = 0x54;
const hexDigit = new Uint8Array(256);
for (let digit = 0; digit < 16; digit += 1) hexDigit[digit.toString(16).charCodeAt(0)] = digit;

/**
 * Reads the log. For each translation block QEMU writes
 *
 *   Trace 0: 0x7f... [cs_base/pc/flags/cflags] symbol
 *    pc       0000000080000000
 *    ...                                   (CSRs, x, f)
 *
 * and then, when it could not begin the block because something asked for its
 * attention, `Stopped execution of TB chain before ...`: that record is
 * dropped, it comes again. The lowest two bits of flags are the privilege.
 */
export class TraceParser {
  private pending: Buffer = Buffer.alloc(0);
  private readonly layouts: Layout[] = [];
  private readonly values = new BigUint64Array(fields.length);
  private readonly halves = new Uint32Array(this.values.buffer);
  private readonly record: TraceRecord = { values: this.values };

  /** Takes `length` bytes of the log; 0 is its end. */
  *push(chunk: Buffer, length: number): Generator<TraceRecord> {
    const text = Buffer.concat([this.pending, chunk.subarray(0, length)]);
    let position = 0;
    for (;;) {
      // What stands at `position` is the beginning of a line.
      const first = text[position];
      if (first === undefined) break;
      const end = text.indexOf(newline, position);
      if (end < 0) break;
      if (first !== capitalT) {
        position = end + 1;
        continue;
      }
      const start = end + 1;
      const layout = this.layoutAt(text, start, length === 0);
      if (layout === undefined) break;
      const next = start + layout.length;
      if (text[next] !== capitalS) {
        this.read(text, position, end, start, layout.offsets);
        yield this.record;
      }
      position = next;
    }
    this.pending = Buffer.from(text.subarray(position));
  }

  /** Undefined until the line behind the record is there too: it says whether the instruction began. */
  private layoutAt(text: Buffer, start: number, isEnd: boolean): Layout | undefined {
    for (const layout of this.layouts) {
      const next = start + layout.length;
      if (text[next - 1] !== newline) continue;
      const mark = text[next];
      if (mark === capitalT || mark === capitalS || (mark === undefined && isEnd && text.length === next))
        return layout;
    }
    const layout = findLayout(text.subarray(start));
    if (layout) this.layouts.push(layout);
    return layout;
  }

  private read(
    text: Buffer,
    trace: number,
    traceEnd: number,
    start: number,
    offsets: readonly number[],
  ): void {
    const { halves } = this;
    for (let field = 0; field < offsets.length; field += 1) {
      const offset = offsets[field] ?? -1;
      if (offset < 0) continue;
      let at = start + offset;
      let high = 0;
      let low = 0;
      for (let digit = 0; digit < 8; digit += 1) high = (high << 4) | (hexDigit[text[at++] ?? 0] ?? 0);
      for (let digit = 0; digit < 8; digit += 1) low = (low << 4) | (hexDigit[text[at++] ?? 0] ?? 0);
      halves[field * 2] = low;
      halves[field * 2 + 1] = high;
    }
    // [cs_base/pc/flags/cflags]: the second slash begins the flags, eight digits.
    const bracket = text.indexOf(0x5b, trace);
    const flagsEnd = bracket + 1 + 16 + 1 + 16 + 1 + 8;
    if (bracket < 0 || flagsEnd > traceEnd)
      throw new Error(`unexpected log line: ${text.toString('latin1', trace, traceEnd)}`);
    this.values[1] = BigInt((hexDigit[text[flagsEnd - 1] ?? 0] ?? 0) & 3);
  }
}

interface Layout {
  readonly length: number;
  /** Of each field's digits; -1 where the record does not show it. */
  readonly offsets: readonly number[];
}

/**
 * Lines have fixed widths, so one look at a record is enough for all like it.
 * There are two kinds: satp, read with the rights of the current mode, is not
 * shown in S-mode under TVM. It cannot change there, so the last one holds.
 */
function findLayout(text: Buffer): Layout | undefined {
  const content = text.toString('latin1');
  const end = content.search(/\n[TS]/);
  if (end < 0) return undefined;
  const record = content.slice(0, end + 1);
  const offsets = fields.map(({ name, label }) => {
    if (label === '') return -1;
    const at = /^ [xf]\d/.test(label) ? record.indexOf(label) : `\n${record}`.indexOf(`\n${label}`);
    if (at < 0 && name !== 'satp') throw new Error(`QEMU's log does not show "${name}"; version 7.2 does`);
    return at < 0 ? -1 : at + record.slice(at).search(/[0-9a-f]{16}/);
  });
  return { length: record.length, offsets };
}
