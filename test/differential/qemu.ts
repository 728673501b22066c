import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fields, shownFields } from './architectural-state';
import { standard, type Target } from './target';

/** One state of the hart, before the instruction at its pc. The arrays are reused from record to record. */
export interface TraceRecord {
  /** Values of `architectural-state.ts`'s fields, unsigned. */
  readonly values: BigUint64Array;
}

export interface QemuOptions {
  readonly memoryMebibytes: number;
  readonly target?: Target;
  /** Further command-line options, e.g. `-kernel`. */
  readonly options?: readonly string[];
  /** One record a translation block, as long as QEMU makes it, and not one an instruction. */
  readonly blocks?: boolean;
  /** Ends QEMU after so many seconds: a guest that waits for ever prints nothing. */
  readonly timeoutSeconds?: number;
}

/**
 * `maxcpus=2` with one hart: only then does QEMU 7.2 execute atomics as one
 * access, so that a fault of an AMO is a store's, as the manual wants it.
 */
export function qemuArguments(firmware: string, log: string, options: QemuOptions): string[] {
  const { reference, extensions } = options.target ?? standard;
  const items = ['nochain', 'cpu', 'fpu', 'exec', ...(extensions.includes('v') ? ['vpu'] : [])];
  return [
    '-M', 'virt', '-cpu', reference.cpu(extensions), '-m', String(options.memoryMebibytes), '-smp', '1,maxcpus=2',
    '-bios', firmware, '-display', 'none', '-monitor', 'none', '-serial', 'none', '-nic', 'none', '-no-reboot',
    ...(options.blocks ? [] : reference.singleStep), '-d', items.join(), '-D', log, ...(options.options ?? []),
  ]; // prettier-ignore
}

/** A QEMU process that executes one instruction a translation block and logs the state before each. */
export class QemuTrace {
  private constructor(
    private readonly child: ChildProcess,
    private readonly handle: FileHandle,
    private readonly directory: string,
    private readonly target: Target,
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
    const { target = standard } = options;
    const { qemu } = target.reference;
    const directory = mkdtempSync(join(tmpdir(), 'lockstep-'));
    const log = join(directory, 'log');
    const firmware = join(directory, 'image.bin');
    writeFileSync(firmware, image);
    // A named pipe: QEMU's log to a file is buffered, to stderr it is not and takes five times as long.
    execFileSync('mkfifo', [log]);
    const child = spawn(
      'timeout',
      ['-s', 'KILL', String(options.timeoutSeconds ?? 120), qemu, ...qemuArguments(firmware, log, options)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let messages = '';
    child.stderr?.on('data', (chunk: Buffer) => (messages += chunk.toString()));
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) =>
        reject(new Error(`${qemu} ended with ${code} before its log began: ${messages}`)),
      );
    });
    const opening = open(log, 'r');
    try {
      const handle = await Promise.race([opening, ended]);
      ended.catch(() => undefined);
      return new QemuTrace(child, handle, directory, target);
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
    const parser = new TraceParser(this.target);
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
const smallC = 0x63;
const hexDigit = new Uint8Array(256);
for (let digit = 0; digit < 16; digit += 1) hexDigit[digit.toString(16).charCodeAt(0)] = digit;
const privilegeLetters: ReadonlyMap<number, bigint> = new Map(
  ([['U', 0n], ['S', 1n], ['M', 3n]] as const).map(([letter, level]) => [letter.charCodeAt(0), level]),
); // prettier-ignore
const privilegeField = fields.findIndex(({ kind }) => kind === 'privilege');

/**
 * Reads the log. For each translation block QEMU writes
 *
 *   Trace 0: 0x7f... [cs_base/pc/flags/cflags] symbol
 *    pc       0000000080000000
 *    ...                                   (CSRs, x, f)
 *
 * and then, when it could not begin the block because something asked for its
 * attention, `Stopped execution of TB chain before ...`: that record is
 * dropped, it comes again. `cpu_io_recompile: rewound execution ...` is an
 * access to a device in mid-block: the next record is of an instruction that
 * may have accessed some of its elements, and is dropped too. The lowest two bits of flags are the privilege;
 * newer versions, where they say how memory is accessed, have a line ` priv  M`.
 */
export class TraceParser {
  private pending: Buffer = Buffer.alloc(0);
  private rewound = false;
  private readonly layouts: Layout[] = [];
  private readonly values = new BigUint64Array(fields.length);
  private readonly halves = new Uint32Array(this.values.buffer);
  private readonly record: TraceRecord = { values: this.values };
  private readonly shown: ReadonlySet<number>;

  constructor(target: Target = standard) {
    this.shown = new Set(shownFields(target));
  }

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
        this.rewound ||= first === smallC;
        position = end + 1;
        continue;
      }
      const start = end + 1;
      const layout = this.layoutAt(text, start, length === 0);
      if (layout === undefined) break;
      const next = start + layout.length;
      if (text[next] !== capitalS) {
        this.read(text, position, end, start, layout);
        if (!this.rewound) yield this.record;
        this.rewound = false;
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
      if (
        mark === capitalT ||
        mark === capitalS ||
        mark === smallC ||
        (mark === undefined && isEnd && text.length === next)
      )
        return layout;
    }
    const layout = findLayout(text.subarray(start), this.shown);
    if (layout) this.layouts.push(layout);
    return layout;
  }

  private read(
    text: Buffer,
    trace: number,
    traceEnd: number,
    start: number,
    { offsets, privilege }: Layout,
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
    const letter = privilegeLetters.get(text[start + privilege] ?? 0);
    if (privilege >= 0 && letter !== undefined) {
      this.values[privilegeField] = letter;
      return;
    }
    // [cs_base/pc/flags/cflags]: the second slash begins the flags, eight digits.
    const bracket = text.indexOf(0x5b, trace);
    const flagsEnd = bracket + 1 + 16 + 1 + 16 + 1 + 8;
    if (bracket < 0 || flagsEnd > traceEnd)
      throw new Error(`unexpected log line: ${text.toString('latin1', trace, traceEnd)}`);
    this.values[privilegeField] = BigInt((hexDigit[text[flagsEnd - 1] ?? 0] ?? 0) & 3);
  }
}

interface Layout {
  readonly length: number;
  /** Of each field's digits; -1 where the record does not show it. */
  readonly offsets: readonly number[];
  /** Of the privilege's letter; -1 where there is none. */
  readonly privilege: number;
}

/**
 * satp, read with the rights of the current mode, is not shown in S-mode under
 * TVM, nor fcsr and the vector CSRs while mstatus turns their unit off. None of
 * them can change there, so the last value holds.
 */
const mayBeHidden = (name: string): boolean => /^(satp|fcsr|v.*)$/.test(name);

/** Lines have fixed widths, so one look at a record is enough for all like it. */
function findLayout(text: Buffer, shown: ReadonlySet<number>): Layout | undefined {
  const content = text.toString('latin1');
  const end = content.search(/\n[TSc]/);
  if (end < 0) return undefined;
  const record = content.slice(0, end + 1);
  const find = (label: string): number =>
    /^ [xf]\d/.test(label) ? record.indexOf(label) : `\n${record}`.indexOf(`\n${label}`);
  const offsets = fields.map((field, index) => {
    if (!shown.has(index) || field.kind === 'privilege') return -1;
    const at = find(field.label);
    if (at < 0) {
      if (mayBeHidden(field.name)) return -1;
      throw new Error(`QEMU's log does not show "${field.name}"; versions 7.2 and 11.1 do`);
    }
    const digits = at + record.slice(at).search(/[0-9a-f]{16}/);
    return field.kind === 'v' ? digits + 16 * (1 - field.half) : digits;
  });
  const priv = find(' priv ');
  return { length: record.length, offsets, privilege: priv < 0 ? -1 : record.indexOf('\n', priv) - 1 };
}
