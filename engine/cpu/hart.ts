/**
 * A hart and the RAM it runs in: the linear memory, the helper module, and the
 * generated interpreter, wired together.
 */
import { helpersModule } from '../generated/helpers';
import { selectable } from '../isa/extensions';
import { instructionsOf } from '../isa/table';
import { bytes, bytesOf, record } from '../snapshot/codec';
import { VILL, readContext, writeContext } from './context';
import { csrRows, environmentAtReset, environmentForKernel, featuresOf, writeCsrRows } from './csr';
import { instructionsFor } from './instruction-sets';
import { InstructionTrace, type TraceOptions } from './instruction-trace';
import { generateInterpreter } from './interpreter/generate';
import { type InterpreterCode, decodeBase64, prebuilt } from './interpreter/prebuilt';
import * as at from './layout';
import { restoreTlb, saveTlb } from './tlb-state';
import { Translator, type TranslatorOptions, defaultTranslatorOptions } from './translator/translator';

/** What the hart asks of the machine around it. Addresses are physical; `size` is 1, 2 or 4 bytes. */
export interface HartBus {
  /** The register's value, or undefined where there is none. */
  read(address: number, size: 1 | 2 | 4): number | undefined;
  /** False where there is no such register. */
  write(address: number, size: 1 | 2 | 4, value: number): boolean;
}

/** Why `run` came back. */
export type HartExit = 'budget' | 'idle' | 'requested' | 'trap' | 'page' | 'yield';

const exits: Readonly<Record<number, HartExit>> = {
  [at.EXIT_BUDGET]: 'budget',
  [at.EXIT_IDLE]: 'idle',
  [at.EXIT_REQUESTED]: 'requested',
  [at.EXIT_TRAP]: 'trap',
  [at.EXIT_PAGE]: 'page',
  [at.EXIT_YIELD]: 'yield',
};

/** Exports of the helper module that the embedder calls; generated code calls the rest. */
interface Helpers extends Record<string, unknown> {
  tlb_reset(): void;
  tlb_clean(): void;
  forget_spaces(everywhere: number, asid: bigint): void;
  forget_page(virtual: bigint, everywhere: number, asid: bigint): void;
  select_space(): void;
  pmp_update(): void;
  float_update(): void;
  select_tlbs(): void;
  request_poll(): void;
  update_timers(): bigint;
  csr_peek(number: number): bigint;
  take_interrupt(): number;
}

/** Interrupt lines into a hart, by their bit in mip. */
export const Line = {
  machineSoftware: 3,
  machineTimer: 7,
  supervisorExternal: 9,
  machineExternal: 11,
} as const;

/** Bytes of a hart's state. */
export const HART_CELLS = at.HART_STATE_END - at.X;
/** What all harts of a machine have in common: its clock, and the counters of exits. */
const sharedCells: readonly (readonly [from: number, to: number])[] = [
  [at.TIME_OFFSET, at.TIME_OFFSET + 8],
  [at.STEPS_PER_TICK, at.STEPS_PER_TICK + 8],
  [at.STEPS_ELSEWHERE, at.STEPS_ELSEWHERE + 8],
  [at.COUNTERS, at.COUNTERS_END],
];
const layout = record('hart', 3, { cells: bytesOf(HART_CELLS), tlbs: bytes });

const WASM_PAGE = 0x10000;
const EVERYTHING = (1n << 64n) - 1n;

/** Compiled code depends on the instruction set alone: one module serves all harts of a process. */
interface Compiled {
  readonly module: WebAssembly.Module;
  readonly index: Uint8Array;
}
const compiled = new Map<string, Compiled>();
let helperModule: WebAssembly.Module | undefined;

/** A count of arrivals that 16 bits do not reach. */
const NEVER = 0xffffffff;

function interpreterFor(extensions: readonly string[]): Compiled {
  const key = extensions.join();
  const known = compiled.get(key);
  if (known) return known;
  const { module, index } = prebuilt(extensions) ?? generate(extensions);
  const fresh = { module: new WebAssembly.Module(module), index };
  compiled.set(key, fresh);
  return fresh;
}

function generate(extensions: readonly string[]): InterpreterCode {
  const { module, decoder } = generateInterpreter(instructionsOf(extensions));
  return { module, index: decoder.index };
}

export interface HartOptions {
  /** Bytes of RAM, a multiple of 64 KiB. */
  readonly ramSize: number;
  readonly bus: HartBus;
  /** Extensions beyond rv64gc; default: all. */
  readonly extensions?: readonly string[];
  /**
   * The embedder takes M-mode's place: traps that are not delegated end the
   * run with 'trap', pc and mode as they were before the instruction.
   */
  readonly monitor?: boolean;
  /** There are other harts, see harts.ts: `pause` ends the run with 'yield'. */
  readonly takesTurns?: boolean;
  /** What executes instructions; default: the interpreter alone. Guests cannot tell. */
  readonly engine?: EngineOptions;
  /** Shows instructions as they are executed. Absent: nobody looks. */
  readonly trace?: TraceOptions;
}

export interface EngineOptions extends Partial<TranslatorOptions> {
  readonly kind: 'interpreter' | 'translator';
}

export class Hart {
  readonly memory: WebAssembly.Memory;
  /** Guest RAM. */
  readonly ram: Uint8Array;
  /** One byte a page of RAM, see layout.ts. */
  readonly pageFlags: Uint8Array;
  private readonly cells: DataView;
  private readonly helpers: Helpers;
  private readonly enter: () => number;
  readonly translator: Translator;
  /** menvcfg after reset. */
  private readonly environment: bigint;
  /** What M-mode grants the others is granted: nobody in the guest could. */
  private readonly monitored: boolean;
  private readonly translates: boolean;
  private readonly trace: InstructionTrace | undefined;

  constructor(options: HartOptions) {
    const { ramSize, bus } = options;
    const extensions = options.extensions ?? selectable;
    this.memory = new WebAssembly.Memory({ initial: (at.RAM + ramSize) / WASM_PAGE });
    this.ram = new Uint8Array(this.memory.buffer, at.RAM, ramSize);
    this.pageFlags = new Uint8Array(this.memory.buffer, at.PAGE_FLAGS, ramSize / 4096);
    this.cells = new DataView(this.memory.buffer, 0, at.RAM);
    helperModule ??= new WebAssembly.Module(decodeBase64(helpersModule));
    this.translator = new Translator(
      this.memory,
      instructionsFor(extensions),
      extensions,
      options.engine?.kind === 'translator'
        ? { ...defaultTranslatorOptions, ...options.engine }
        : defaultTranslatorOptions,
      () => this.helpers,
    );
    this.translates = options.engine?.kind === 'translator';
    this.translateFrom(this.translates ? this.translator.options.threshold : NEVER);
    const env = {
      memory: this.memory,
      table: this.translator.table,
      translate: () => this.translator.translate(),
      code_written: (page: number) => this.translator.written(page),
      ...this.busImports(bus),
    };
    this.helpers = new WebAssembly.Instance(helperModule, { env }).exports as Helpers;
    const { module, index } = interpreterFor(extensions);
    const instance = new WebAssembly.Instance(module, { env, helpers: this.helpers });
    this.enter = instance.exports['run'] as () => number;
    new Uint8Array(this.memory.buffer).set(index, at.DECODE);
    writeCsrRows(this.cells, csrRows(extensions));
    this.setCell(at.RAM_SIZE, BigInt(ramSize));
    this.cells.setUint32(at.FEATURES, featuresOf(extensions), true);
    this.monitored = options.monitor ?? false;
    this.environment = (options.monitor ? environmentForKernel : environmentAtReset)(extensions);
    const chosen = (options.monitor ? at.OPTION_MONITOR : 0) | (options.takesTurns ? at.OPTION_HARTS : 0);
    this.cells.setUint32(at.OPTIONS, chosen, true);
    this.trace = options.trace && new InstructionTrace(this, options.trace);
    this.reset();
  }

  /** Power-on: M-mode, everything else zero. Counters go on. */
  reset(): void {
    const memory = new Uint8Array(this.memory.buffer);
    memory.fill(0, at.X, at.COUNTERS);
    memory.fill(0, at.COUNTERS_END, at.HART_STATE_END);
    this.setCell(at.VTYPE, VILL);
    this.setCell(at.PRIVILEGE, 3n);
    this.setCell(at.MENVCFG, this.environment);
    if (this.monitored) for (let i = 0; i < 4; i++) this.setCell(at.MSTATEEN + 8 * i, EVERYTHING);
    this.setCell(at.RESERVATION, -1n);
    this.setCell(at.STEPS_PER_TICK, BigInt(at.NOMINAL_STEPS_PER_TICK));
    this.setCell(at.MTIMECMP, -1n);
    this.setCell(at.STIMECMP, -1n);
    this.refresh();
  }

  /** Executes exactly `steps` instructions, or fewer when something else comes first. */
  run(steps: number): HartExit {
    return this.trace ? this.trace.run(steps, (some) => this.execute(some)) : this.execute(steps);
  }

  private execute(steps: number): HartExit {
    this.translator.catchUp();
    this.setCell(at.REMAINING, BigInt(steps));
    const reason = exits[this.enter()];
    if (!reason) throw new Error('the interpreter ended for no reason that is known');
    return reason;
  }

  /** What was translated is forgotten, and nothing is translated until it is allowed again; between two runs. */
  interpretOnly(only: boolean): void {
    if (!this.translates) return;
    if (only) this.translator.forget();
    // Counters are compared with the threshold itself: those that have passed it begin again.
    new Uint8Array(this.memory.buffer, at.HOT_COUNTERS, at.HOT_COUNTERS_MASK + 2).fill(0);
    this.translateFrom(only ? NEVER : this.translator.options.threshold);
  }

  private translateFrom(threshold: number): void {
    this.cells.setUint32(at.HOT_THRESHOLD, Math.max(1, threshold), true);
  }

  /** Ends the run after the present instruction; from within a bus access only. */
  requestExit(): void {
    this.cells.setUint32(at.EXIT, at.EXIT_REQUESTED, true);
    this.helpers.request_poll();
  }

  /** Ends the run after the present instruction with 'yield', unless it ends for another reason. */
  requestYield(): void {
    if (this.cells.getUint32(at.EXIT, true) !== at.EXIT_NONE) return;
    this.cells.setUint32(at.EXIT, at.EXIT_YIELD, true);
    this.helpers.request_poll();
  }

  setLine(bit: number, asserted: boolean): void {
    const lines = this.cell(at.LINES);
    const mask = 1n << BigInt(bit);
    const next = asserted ? lines | mask : lines & ~mask;
    if (next === lines) return;
    this.setCell(at.LINES, next);
    this.helpers.request_poll();
  }

  /** Takes a pending interrupt, without executing an instruction; true when there was one. `run` does so by itself. */
  takeInterrupt(): boolean {
    const taken = this.helpers.take_interrupt() !== 0;
    this.helpers.select_tlbs();
    return taken;
  }

  /** Instructions begun since power-on, by all harts of the machine. */
  get steps(): bigint {
    const burst = this.cells.getUint32(at.CHUNK, true) - this.cells.getUint32(at.COUNTDOWN, true);
    return this.cell(at.STEPS_ELSEWHERE) + this.cell(at.STEPS) + BigInt(burst);
  }

  /** mtime: ticks of the timebase. The offset is negative, modulo 2^64, once a tick has come to take fewer steps. */
  get time(): bigint {
    return BigInt.asUintN(64, this.cell(at.TIME_OFFSET) + this.steps / this.stepsPerTick);
  }
  set time(ticks: bigint) {
    this.setCell(at.TIME_OFFSET, ticks - this.steps / this.stepsPerTick);
    this.helpers.request_poll();
  }

  /** Instructions that make a tick. Setting it changes how fast time goes on, not what it is. */
  get stepsPerTick(): bigint {
    return this.cell(at.STEPS_PER_TICK);
  }
  set stepsPerTick(steps: bigint) {
    const now = this.time;
    this.setCell(at.STEPS_PER_TICK, steps);
    this.time = now;
  }

  get timeCompare(): bigint {
    return this.cell(at.MTIMECMP);
  }
  set timeCompare(ticks: bigint) {
    this.setCell(at.MTIMECMP, ticks);
    this.helpers.request_poll();
  }

  /** Ticks until the next timer interrupt that could wake the hart; undefined when none is set. */
  get ticksUntilTimer(): bigint | undefined {
    const steps = BigInt.asUintN(64, this.helpers.update_timers());
    if (steps >= 1n << 62n) return undefined;
    return (steps + this.stepsPerTick - 1n) / this.stepsPerTick;
  }

  /** Steps until mtime reaches `ticks`; not positive when it has. */
  stepsUntil(ticks: bigint): bigint {
    return BigInt.asIntN(64, ticks - this.cell(at.TIME_OFFSET)) * this.stepsPerTick - this.steps;
  }

  get pc(): bigint {
    return this.cell(at.PC);
  }
  set pc(address: bigint) {
    this.setCell(at.PC, address);
  }
  x(number: number): bigint {
    return this.cell(at.X + 8 * number);
  }
  setX(number: number, value: bigint): void {
    if (number !== 0) this.setCell(at.X + 8 * number, value);
  }
  f(number: number): bigint {
    return this.cell(at.F + 8 * number);
  }

  /** A CSR as M-mode would read it, whatever the present mode; zero where there is none. */
  csr(number: number): bigint {
    return BigInt.asUintN(64, this.helpers.csr_peek(number));
  }
  /** 0 U, 1 S, 3 M. */
  get privilege(): number {
    return Number(this.cell(at.PRIVILEGE));
  }
  set privilege(mode: 0 | 1 | 3) {
    this.setCell(at.PRIVILEGE, BigInt(mode));
    this.helpers.select_tlbs();
  }

  /** What ended the run with 'trap': the cause as in mcause, and the value as in mtval. */
  get trap(): { readonly cause: number; readonly value: bigint } {
    return { cause: Number(this.cell(at.MCAUSE)), value: this.cell(at.MTVAL) };
  }
  /** Everything translated is forgotten: satp or page tables were changed from outside. */
  flushTranslations(): void {
    this.helpers.forget_spaces(1, 0n);
  }
  /** What is translated of one page is forgotten. */
  forgetPage(virtual: number): void {
    this.helpers.forget_page(BigInt(virtual), 1, 0n);
  }

  /** U-mode's part of the hart: x, f, pc, fflags and frm, and the vector unit's, as `loadContext` takes it. */
  saveContext(): Uint8Array {
    return readContext(new Uint8Array(this.memory.buffer));
  }
  /** Another thread's registers in place of the present ones; its reservation is lost, as at any trap. */
  loadContext(context: Uint8Array): void {
    writeContext(new Uint8Array(this.memory.buffer), context);
    this.setCell(at.RESERVATION, -1n);
    this.helpers.float_update();
  }

  /** What is this hart's own: all cells of its state but those that the machine's harts share, which are zero here. */
  park(): Uint8Array<ArrayBuffer> {
    const own = new Uint8Array(this.memory.buffer, at.X, HART_CELLS).slice();
    for (const [from, to] of sharedCells) own.fill(0, from - at.X, to - at.X);
    new DataView(own.buffer).setBigInt64(at.RESERVATION - at.X, -1n, true);
    return own;
  }
  /**
   * Another hart in place of the present one. It comes with empty TLBs, and
   * without a reservation: while it was parked, others may have written anywhere.
   */
  unpark(own: Uint8Array): void {
    const total = this.steps;
    const memory = new Uint8Array(this.memory.buffer, at.X, HART_CELLS);
    const shared = sharedCells.map(([from, to]) => memory.slice(from - at.X, to - at.X));
    memory.set(own);
    sharedCells.forEach(([from], i) => memory.set(shared[i]!, from - at.X));
    this.setCell(at.STEPS_ELSEWHERE, total - this.cell(at.STEPS));
    this.refresh();
  }

  /** A cell of the hart's state, by its place in layout.ts. Unsigned. */
  cell(address: number): bigint {
    return this.cells.getBigUint64(address, true);
  }
  setCell(address: number, value: bigint): void {
    this.cells.setBigUint64(address, BigInt.asUintN(64, value), true);
  }

  /** The saved part of the hart: registers, CSRs, counters, TLBs. */
  saveState(): Uint8Array {
    return layout.encode({ cells: this.savedCells.slice(), tlbs: saveTlb(this.cells) });
  }

  /** @throws StateError when the payload is not a hart's. */
  restoreState(payload: Uint8Array): void {
    const { cells, tlbs } = layout.decode(payload);
    this.savedCells.set(cells);
    this.refresh();
    // The TLB was emptied: what the state says of it counts.
    this.savedCells.set(cells);
    restoreTlb(this.cells, tlbs, this.pageFlags.length);
    this.helpers.select_space();
  }

  /** After a checkpoint, or when pages went away: the next access to any page is to be noticed again. */
  watchPages(): void {
    this.helpers.tlb_clean();
  }

  /** The page of RAM that ended the run with 'page'. */
  get wantedPage(): number {
    return this.cells.getUint32(at.WANTED_PAGE, true);
  }

  /** RAM was changed by other hands than the hart's: what was translated from these pages no longer holds. */
  ramChanged(page: number, pages: number): void {
    this.translator.changed(page, pages);
  }

  /** What was hot elsewhere is to be translated first; see translator/profile.ts. @throws StateError */
  useProfile(profile: Uint8Array): void {
    if (this.translates) this.translator.useProfile(profile);
  }
  /** What was hot here; undefined: as in the profile that was given or taken last. */
  takeProfile(): Uint8Array | undefined {
    return this.translator.takeProfile();
  }

  private get savedCells(): Uint8Array {
    return new Uint8Array(this.memory.buffer, at.X, HART_CELLS);
  }

  /** Memory was changed from outside, or state restored: rebuilds what is derived. */
  private refresh(): void {
    this.cells.setUint32(at.CHUNK, 0, true);
    this.cells.setUint32(at.COUNTDOWN, 0, true);
    this.cells.setUint32(at.EXIT, at.EXIT_NONE, true);
    this.helpers.tlb_reset();
    this.helpers.pmp_update();
    this.helpers.float_update();
    this.helpers.select_tlbs();
  }

  private busImports(bus: HartBus): Record<string, unknown> {
    const fault = (): void => this.cells.setUint32(at.MMIO_FAULT, 1, true);
    return {
      mmio_read: (address: number, size: 1 | 2 | 4): number => {
        const value = bus.read(address, size);
        if (value === undefined) fault();
        return value ?? 0;
      },
      mmio_write: (address: number, size: 1 | 2 | 4, value: number): void => {
        if (!bus.write(address, size, value >>> 0)) fault();
      },
    };
  }
}
