/**
 * Generates the interpreter: one WebAssembly function `run`, a loop that
 * fetches a word, looks its class up and jumps to the class's code.
 *
 * The countdown is tested before every instruction, so that a run is cut at an
 * exact count; whoever wants control back sets it to zero (`requestPoll`).
 */
import type { Instruction } from '../../isa/instruction';
import {
  type I32,
  type I64,
  binary,
  compare,
  extendUnsigned,
  i32Constant,
  i64Constant,
  isZero,
  load,
  wrap,
} from '../../wasm/expression';
import { FunctionBuilder, type Label, type Local } from '../../wasm/function-builder';
import { type Callee, ModuleBuilder, type TableType } from '../../wasm/module-builder';
import { helpers } from '../helpers';
import * as at from '../layout';
import { type Decision, decide } from './decision';
import { type Decoder, buildDecoder } from './decode';
import { DEEPEST, INTERPRET, jumpCacheLine, regionSignature } from '../translator/convention';
import {
  ABSOLUTE,
  InterpreterEmitter,
  LAST_IN_PAGE,
  type Labels as InstructionLabels,
  OUTSIDE,
  type Registers,
  Temporaries,
} from './emitter';

export interface Interpreter {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly decoder: Decoder;
}

/** @param counting whether exits from translated code are counted, and one in so many told to `env.exit_noted` */
export function generateInterpreter(instructions: readonly Instruction[], counting?: number): Interpreter {
  const decoder = buildDecoder(instructions);
  const module = new ModuleBuilder();
  module.importMemory('env', 1);
  const callees = new Map<string, Callee>();
  for (const [name, { signature }] of helpers)
    callees.set(name, module.importFunction('helpers', name, signature));
  const noted =
    counting === undefined
      ? undefined
      : { callee: module.importFunction('env', 'exit_noted', { parameters: ['i32'] }), every: counting };
  module.importTable('env');
  const builder = new FunctionBuilder([]);
  new Loop(builder, callees, decoder, module.tableType(regionSignature), noted).emit();
  module.define('run', { parameters: [], result: 'i32' }, builder);
  return { module: module.bytes(), decoder };
}

interface Labels extends InstructionLabels {
  readonly illegal: Label;
}

class Loop {
  private readonly registers: Registers;
  private readonly temporaries: Temporaries;

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly callees: ReadonlyMap<string, Callee>,
    private readonly decoder: Decoder,
    private readonly regionType: TableType,
    private readonly noted: { readonly callee: Callee; readonly every: number } | undefined,
  ) {
    this.registers = {
      ip: builder.local('i32'),
      page: builder.local('i32'),
      delta: builder.local('i64'),
      countdown: builder.local('i32'),
      word: builder.local('i32'),
      dataTlb: builder.local('i32'),
      fetchTlb: builder.local('i32'),
      skip: builder.local('i32'),
    };
    this.temporaries = new Temporaries(builder);
  }

  emit(): void {
    const { builder } = this;
    builder.set(this.registers.page, i32Constant(at.RAM));
    builder.loop((event) => {
      this.reload();
      builder.loop((back) => {
        this.enterBehindJump(event);
        builder.loop((next) => {
          this.pollWhenDue(event);
          this.fetch(event);
          this.dispatch({ next, back, event });
        });
      });
    });
    builder.unreachable();
  }

  /** Takes up what a helper has changed: pc, mode, countdown. */
  private reload(): void {
    const { builder, registers } = this;
    const { ip, page, delta, countdown, dataTlb, fetchTlb } = registers;
    builder.store('i32.store', ABSOLUTE, i32Constant(0), at.TRAPPED);
    builder.set(countdown, cell32(at.COUNTDOWN));
    builder.set(dataTlb, cell32(at.DATA_TLB));
    builder.set(fetchTlb, cell32(at.FETCH_TLB));
    builder.set(ip, binary('add', page.get, i32Constant(OUTSIDE)));
    builder.set(delta, binary('sub', load('i64.load', ABSOLUTE, at.PC) as I64, extendUnsigned(ip.get)));
  }

  /** A jump backwards within the page has led here, or nothing is known of ip yet. */
  private enterBehindJump(event: Label): void {
    const { builder, registers } = this;
    const { ip, page, countdown } = registers;
    builder.if(compare('lt_u', binary('sub', ip.get, page.get), i32Constant(LAST_IN_PAGE)), () =>
      this.enterTranslated(this.pc, countdown.get, event),
    );
  }

  /**
   * Runs what was translated from the code at ip, if there is any; counts the arrival otherwise.
   * `countdown`: with the instruction at ip still to be counted.
   */
  private enterTranslated(pc: I64, countdown: I32, event: Label): void {
    const { builder, registers } = this;
    const { ip, skip } = registers;
    const line = this.temporaries.take('i32');
    const result = this.temporaries.take('i32');
    const arrivals = this.temporaries.take('i32');
    const stepsBefore = this.noted && this.temporaries.take('i32');
    builder.loop((again) => {
      builder.set(line, jumpCacheLine(ip.get));
      builder.if(compare('eq', load('i32.load', line.get, at.JUMP_CACHE) as I32, ip.get), () => {
        const slot = load('i32.load', line.get, at.JUMP_CACHE + 4) as I32;
        const args = [pc, countdown, i32Constant(DEEPEST)];
        // Polls in between take as much off the one as off the other.
        if (stepsBefore) builder.set(stepsBefore, binary('sub', cell32(at.CHUNK), countdown));
        builder.set(result, this.regionType.call(slot, args) as I32);
        builder.if(compare('ge_s', result.get, i32Constant(0)), () =>
          builder.store('i32.store', ABSOLUTE, result.get, at.COUNTDOWN),
        );
        if (stepsBefore) this.countExit(stepsBefore, result.get);
        builder.set(skip, compare('eq', result.get, i32Constant(INTERPRET)));
        builder.branch(event);
      });
      const counter = binary('and', ip.get, i32Constant(at.HOT_COUNTERS_MASK));
      const counted = binary('add', load('i32.load16_u', counter, at.HOT_COUNTERS) as I32, i32Constant(1));
      builder.set(arrivals, counted);
      builder.store('i32.store16', counter, arrivals.get, at.HOT_COUNTERS);
      builder.if(compare('eq', arrivals.get, cell32(at.HOT_THRESHOLD)), () =>
        builder.branchIf(this.call('hot', [pc, ip.get]) as I32, again),
      );
    });
  }

  /** Only while a guest is profiled. */
  private countExit(stepsBefore: Local<'i32'>, result: I32): void {
    const { builder } = this;
    const { callee, every } = this.noted!;
    const steps = binary('sub', binary('sub', cell32(at.CHUNK), cell32(at.COUNTDOWN)), stepsBefore.get);
    const add = (cell: number, value: I64): void =>
      builder.store(
        'i64.store',
        ABSOLUTE,
        binary('add', load('i64.load', ABSOLUTE, cell) as I64, value),
        cell,
      );
    add(at.TRANSLATED_STEPS, extendUnsigned(steps));
    add(at.TRANSLATED_EXITS, i64Constant(1n));
    const each = binary('rem_u', cell32(at.TRANSLATED_EXITS), i32Constant(every));
    builder.if(isZero(each), () => builder.leave(callee.call([result])));
  }

  private pollWhenDue(event: Label): void {
    const { builder, registers } = this;
    const { countdown } = registers;
    builder.if(isZero(countdown.get), () => {
      this.commit(this.pc);
      const reason = this.temporaries.take('i32');
      builder.set(reason, this.call('poll', []) as I32);
      builder.if(reason.get, () => builder.return(reason.get));
      builder.branch(event);
    });
    builder.set(countdown, binary('sub', countdown.get, i32Constant(1)));
  }

  private fetch(event: Label): void {
    const { builder, registers } = this;
    const { ip, page, word } = registers;
    builder.if(
      compare('ge_u', binary('sub', ip.get, page.get), i32Constant(LAST_IN_PAGE)),
      () => this.fetchElsewhere(event),
      () => builder.set(word, load('i32.load', ip.get) as I32),
    );
  }

  /** The instruction lies in another page than the last one, or in two. */
  private fetchElsewhere(event: Label): void {
    const { builder, registers } = this;
    const { ip, page, delta, word, fetchTlb, countdown, skip } = registers;
    const pcLocal = this.temporaries.take('i64');
    const entry = this.temporaries.take('i32');
    const pc = pcLocal.get;
    const low = wrap(pc);
    builder.set(pcLocal, this.pc);
    builder.block((done) => {
      builder.if(compare('ne', binary('and', low, i32Constant(0xfff)), i32Constant(LAST_IN_PAGE)), () => {
        const index = binary(
          'and',
          binary('shr_u', low, i32Constant(8)),
          i32Constant((at.TLB_ENTRIES - 1) * at.TLB_ENTRY),
        );
        builder.set(entry, binary('add', fetchTlb.get, index));
        builder.if(
          compare('eq', binary('and', pc, i64Constant(-4096n)), load('i64.load', entry.get) as I64),
          () => {
            const addend = load('i32.load', entry.get, 8) as I32;
            builder.set(page, binary('add', binary('and', low, i32Constant(-4096)), addend));
          },
          () => {
            this.commit(pc);
            builder.set(page, this.call('fetch_page', [pc]) as I32);
            builder.branchIf(cell32(at.TRAPPED), event);
          },
        );
        builder.if(page.get, () => {
          builder.set(ip, binary('add', page.get, binary('and', low, i32Constant(0xfff))));
          builder.set(delta, binary('sub', pc, extendUnsigned(ip.get)));
          builder.if(
            skip.get,
            () => builder.set(skip, i32Constant(0)),
            () => this.enterTranslated(pc, binary('add', countdown.get, i32Constant(1)), event),
          );
          builder.set(word, load('i32.load', ip.get) as I32);
          builder.branch(done);
        });
      });
      this.commit(pc);
      builder.set(word, this.call('fetch_word', [pc]) as I32);
      builder.branchIf(cell32(at.TRAPPED), event);
      // The page is put so far off that no branch of this instruction can seem to stay in it.
      builder.set(ip, i32Constant(at.RAM));
      builder.set(page, i32Constant(at.RAM + 0x80000000));
      builder.set(delta, binary('sub', pc, extendUnsigned(ip.get)));
    });
  }

  private dispatch({ next, back, event }: Omit<Labels, 'illegal'>): void {
    const { builder, registers, decoder } = this;
    builder.block((illegal) => {
      const [, ...classes] = decoder.classes;
      const labels: Labels = { next, back, event, illegal };
      this.emitTable(
        classes.map((instructions) => () => this.emitDecision(decide(instructions, 0xffff), labels)),
        (targets) => {
          const low = binary('and', registers.word.get, i32Constant(0xffff));
          builder.branchTable(load('i32.load8_u', low, at.DECODE) as I32, [illegal, ...targets], illegal);
        },
      );
    });
    this.illegal(event);
  }

  private emitDecision(decision: Decision, labels: Labels): void {
    const { builder, registers } = this;
    switch (decision.kind) {
      case 'nothing':
        return builder.branch(labels.illegal);
      case 'instruction':
        return this.emitInstruction(decision.instruction, labels);
      case 'test': {
        const { mask, match, then, otherwise } = decision;
        const same = compare('eq', binary('and', registers.word.get, i32Constant(mask)), i32Constant(match));
        builder.if(same, () => this.emitDecision(then, labels));
        return this.emitDecision(otherwise, labels);
      }
      case 'table': {
        const { shift, width, cases } = decision;
        const moved = binary('shr_u', registers.word.get, i32Constant(shift));
        const index = shift + width === 32 ? moved : binary('and', moved, i32Constant(2 ** width - 1));
        const distinct = [...new Set(cases)].filter(({ kind }) => kind !== 'nothing');
        return this.emitTable(
          distinct.map((each) => () => this.emitDecision(each, labels)),
          (targets) => {
            const target = (each: Decision): Label => targets[distinct.indexOf(each)] ?? labels.illegal;
            builder.branchTable(index, cases.map(target), labels.illegal);
          },
        );
      }
    }
  }

  /** Code of several cases, none of which goes on into the next, and before them the jump to one. */
  private emitTable(cases: readonly (() => void)[], jump: (targets: readonly Label[]) => void): void {
    const targets: Label[] = [];
    const nest = (index: number): void => {
      if (index === cases.length) return jump(targets);
      this.builder.block((label) => {
        targets[index] = label;
        nest(index + 1);
      });
      cases[index]!();
    };
    nest(0);
  }

  private emitInstruction(instruction: Instruction, labels: Labels): void {
    const emitter = new InterpreterEmitter(
      this.builder,
      this.registers,
      this.temporaries,
      this.callees,
      labels,
      instruction,
    );
    instruction.semantics(emitter);
    if (!emitter.ended) emitter.finish();
  }

  private illegal(event: Label): void {
    const { builder, registers } = this;
    const { word } = registers;
    const compressed = compare('ne', binary('and', word.get, i32Constant(3)), i32Constant(3));
    builder.if(compressed, () => builder.set(word, binary('and', word.get, i32Constant(0xffff))));
    this.commit(this.pc);
    builder.leave(this.call('illegal', [word.get]));
    builder.branch(event);
  }

  private get pc(): I64 {
    return binary('add', extendUnsigned(this.registers.ip.get), this.registers.delta.get);
  }

  private commit(pc: I64): void {
    this.builder.store('i64.store', ABSOLUTE, pc, at.PC);
    this.builder.store('i32.store', ABSOLUTE, this.registers.countdown.get, at.COUNTDOWN);
  }

  private call(helper: string, args: Parameters<Callee['call']>[0]): ReturnType<Callee['call']> {
    return this.callees.get(helper)!.call(args);
  }
}

const cell32 = (address: number): I32 => load('i32.load', ABSOLUTE, address) as I32;
