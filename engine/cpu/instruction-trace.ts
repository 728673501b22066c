/**
 * A line for each instruction of a window: how many were executed before it, hart, mode, pc, symbol, what it is, and
 * the registers that it changed.
 *
 *        12345 0 S ffffffff80001234 <memcpy+0x12> addi a0, sp, 16 | a0=ff20000000013e40
 *
 * Each is run by itself, by the interpreter: a run that is cut anywhere is the same run.
 */
import { cellName, cellNames } from './cell-names';
import { exitCounters } from './exit-counters';
import type { Hart, HartExit } from './hart';
import { Inspection, type Symbols, alone, hexadecimal } from './inspection';
import * as at from './layout';

export interface TraceOptions {
  /** Instructions that all harts together execute before the first line. */
  readonly from: number;
  /** Instructions to show at most. */
  readonly count: number;
  readonly symbols?: Symbols;
  readonly write: (line: string) => void;
  /** The last instruction of the window was executed, or the window was over at the start. */
  readonly ended?: () => void;
}

/** Cells that change with each instruction, and say nothing of it. */
const untold = new Set([at.PC, at.PRIVILEGE, at.STEPS, at.TRAPPED_STEPS, at.TIME_OFFSET]);
const told = [...cellNames.keys()].filter((cell) => !untold.has(cell));

const MCAUSE_INTERRUPT = 1n << 63n;

export class InstructionTrace {
  private readonly inspection: Inspection;
  private before = new Map<number, bigint>();
  private over = false;
  private tracing = false;

  constructor(
    private readonly hart: Hart,
    private readonly options: TraceOptions,
  ) {
    this.inspection = new Inspection(alone(hart));
  }

  /** As `Hart.run`; `execute` is what it would have done. */
  run(steps: number, execute: (steps: number) => HartExit): HartExit {
    const { hart, options } = this;
    const end = options.from + options.count;
    for (let left = steps; ;) {
      const now = Number(hart.steps);
      if (now >= end) {
        this.end();
        return execute(left);
      }
      const some = now < options.from ? Math.min(left, options.from - now) : Math.min(left, 1);
      const exit = now < options.from || left === 0 ? execute(some) : this.step(execute);
      left -= Number(hart.steps) - now;
      if (exit !== 'budget' || left <= 0) {
        if (Number(hart.steps) >= end) this.end();
        return exit;
      }
    }
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    if (this.tracing) this.hart.interpretOnly(false);
    this.options.ended?.();
  }

  private step(execute: (steps: number) => HartExit): HartExit {
    const { hart, inspection, options } = this;
    if (!this.tracing) {
      this.tracing = true;
      hart.interpretOnly(true);
    }
    const number = hart.steps;
    const pc = hart.pc;
    let where = inspection.describe(options.symbols);
    this.before = this.cells();
    const exit = execute(1);
    const causes = exitCounters.filter(([cell]) => hart.cell(cell) !== this.before.get(cell));
    const prefix = `${String(number).padStart(12)} ${hart.cell(at.HART_ID)}`;
    const interrupt = causes.find(([, name]) => name.endsWith('interrupt'))?.[1];
    if (interrupt !== undefined) {
      options.write(`${prefix} -- ${interrupt} before ${hexadecimal(pc)}`);
      where = inspection.describe(options.symbols, undefined, this.handler(pc));
    }
    if (hart.steps === number) return exit; // it waits, or a page has to come first
    const trap = exit === 'trap' ? 'trap to the monitor' : causes.find(([cell]) => isException(cell))?.[1];
    const changes = told
      .filter((cell) => hart.cell(cell) !== this.before.get(cell))
      .map((cell) => `${cellName(cell)}=${hart.cell(cell).toString(16)}`);
    const effects = [...(trap === undefined ? [] : [`-> ${trap}`]), ...changes].join(' ');
    options.write(`${prefix} ${where}${effects === '' ? '' : ` | ${effects}`}`);
    return exit;
  }

  /** Where an interrupt that came before the instruction at `pc` has led: "Machine Trap-Vector Base-Address Register". */
  private handler(pc: bigint): bigint {
    const { hart } = this;
    const cause = hart.cell(at.SCAUSE);
    const supervisor = (cause & MCAUSE_INTERRUPT) !== 0n && hart.cell(at.SEPC) === pc;
    const vector = hart.cell(supervisor ? at.STVEC : at.MTVEC);
    const number = (supervisor ? cause : hart.cell(at.MCAUSE)) & 0xffn;
    return (vector & ~3n) + ((vector & 1n) !== 0n ? 4n * number : 0n);
  }

  private cells(): Map<number, bigint> {
    const cells = new Map(told.map((cell) => [cell, this.hart.cell(cell)]));
    for (const [cell] of exitCounters) cells.set(cell, this.hart.cell(cell));
    return cells;
  }
}

const isException = (cell: number): boolean => cell >= at.COUNTER_EXCEPTIONS && cell < at.COUNTER_INTERRUPTS;
