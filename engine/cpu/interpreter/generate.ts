/**
 * Generates the interpreter: one WebAssembly function `run`, a loop that
 * fetches a word, looks its class up and jumps to the class's code.
 *
 * The countdown is tested before every instruction, so that a run is cut at an
 * exact count; whoever wants control back sets it to zero (`requestPoll`).
 */
import type { Instruction, Semantics } from '../../isa/instruction';
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
import { FunctionBuilder, type Label } from '../../wasm/function-builder';
import { type Callee, ModuleBuilder } from '../../wasm/module-builder';
import { helpers } from '../helpers';
import * as at from '../layout';
import { type Decoder, buildDecoder } from './decode';
import { ABSOLUTE, InterpreterEmitter, LAST_IN_PAGE, OUTSIDE, type Registers, Temporaries } from './emitter';

export interface Interpreter {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly decoder: Decoder;
}

export function generateInterpreter(instructions: readonly Instruction[]): Interpreter {
  const decoder = buildDecoder(instructions);
  const module = new ModuleBuilder();
  module.importMemory('env', 1);
  const callees = new Map<string, Callee>();
  for (const [name, { signature }] of helpers)
    callees.set(name, module.importFunction('helpers', name, signature));
  const builder = new FunctionBuilder([]);
  new Loop(builder, callees, decoder).emit();
  module.define('run', { parameters: [], result: 'i32' }, builder);
  return { module: module.bytes(), decoder };
}

/** Up to so many alternatives are compared one after the other. */
const FEW = 6;

/** Adjacent bits of a word: `width` of them from bit `from` up. */
interface BitRun {
  readonly from: number;
  readonly width: number;
  readonly mask: number;
}

/** The most significant of the longest runs of ones in a mask that is not zero. */
function widestRun(mask: number): BitRun {
  let best: BitRun = { from: 0, width: 0, mask: 0 };
  for (let from = 0; from < 32; from++) {
    let width = 0;
    while (from + width < 32 && ((mask >>> (from + width)) & 1) === 1) width++;
    if (width >= best.width) best = { from, width, mask: ((2 ** width - 1) << from) | 0 };
    from += width;
  }
  return best;
}

function groupBy(instructions: readonly Instruction[], mask: number): Map<number, Instruction[]> {
  const groups = new Map<number, Instruction[]>();
  for (const instruction of instructions) {
    const value = instruction.encoding.match & mask;
    groups.set(value, [...(groups.get(value) ?? []), instruction]);
  }
  return groups;
}

const semanticsNumbers = new Map<Semantics, number>();
function numberOf(semantics: Semantics): number {
  const number = semanticsNumbers.get(semantics) ?? semanticsNumbers.size;
  semanticsNumbers.set(semantics, number);
  return number;
}

/** What the code for some instructions depends on, once the `known` bits have been looked at. */
const meaning = (instructions: readonly Instruction[], known: number): string =>
  JSON.stringify(
    instructions.map(({ encoding, semantics, implied }) => [
      encoding.mask & ~known,
      encoding.match & ~known,
      numberOf(semantics),
      [...encoding.operands],
      implied,
    ]),
  );

class Loop {
  private readonly registers: Registers;
  private readonly temporaries: Temporaries;

  constructor(
    private readonly builder: FunctionBuilder,
    private readonly callees: ReadonlyMap<string, Callee>,
    private readonly decoder: Decoder,
  ) {
    this.registers = {
      ip: builder.local('i32'),
      page: builder.local('i32'),
      delta: builder.local('i64'),
      countdown: builder.local('i32'),
      word: builder.local('i32'),
      dataTlb: builder.local('i32'),
      fetchTlb: builder.local('i32'),
    };
    this.temporaries = new Temporaries(builder);
  }

  emit(): void {
    const { builder } = this;
    builder.set(this.registers.page, i32Constant(at.RAM));
    builder.loop((event) => {
      this.reload();
      builder.loop((next) => {
        this.pollWhenDue(event);
        this.fetch(event);
        this.dispatch({ next, event });
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
    const { ip, page, delta, word, fetchTlb } = registers;
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

  private dispatch(labels: { next: Label; event: Label }): void {
    const { builder, registers, decoder } = this;
    const targets: Label[] = [];
    const nest = (index: number): void => {
      if (index === decoder.classes.length) {
        const low = binary('and', registers.word.get, i32Constant(0xffff));
        builder.branchTable(load('i32.load8_u', low, at.DECODE) as I32, targets, targets[0]!);
        return;
      }
      builder.block((label) => {
        targets[index] = label;
        nest(index + 1);
      });
      this.emitClass(decoder.classes[index]!, labels);
    };
    nest(0);
  }

  private emitClass(instructions: readonly Instruction[], labels: { next: Label; event: Label }): void {
    this.select(instructions, 0xffff, labels);
  }

  /** Tells instructions of one class apart by the bits they all fix; `known` are those already looked at. */
  private select(
    instructions: readonly Instruction[],
    known: number,
    labels: { next: Label; event: Label },
  ): void {
    const { builder, registers } = this;
    if (instructions.length === 0) return this.illegal(labels);
    const shared = instructions.reduce((mask, { encoding }) => mask & encoding.mask, ~known);
    if (shared === 0) {
      if (instructions.length > 1) {
        throw new Error(`encodings overlap: ${instructions.map(({ mnemonic }) => mnemonic).join(', ')}`);
      }
      return this.emitInstruction(instructions[0]!, labels);
    }
    const groups = groupBy(instructions, shared);
    if (groups.size > FEW) return this.selectByTable(instructions, known, widestRun(shared), labels);
    for (const [value, group] of groups) {
      const same = compare('eq', binary('and', registers.word.get, i32Constant(shared)), i32Constant(value));
      builder.if(same, () => this.select(group, known | shared, labels));
    }
    this.illegal(labels);
  }

  /** Many at once: a jump by some adjacent bits. Values that lead to the same code share it. */
  private selectByTable(
    instructions: readonly Instruction[],
    known: number,
    field: BitRun,
    labels: { next: Label; event: Label },
  ): void {
    const { builder, registers } = this;
    const groups = groupBy(instructions, field.mask);
    const bodies = new Map<string, readonly Instruction[]>();
    const bodyOf = new Map<number, string>();
    for (const [value, group] of groups) {
      const key = meaning(group, known | field.mask);
      bodies.set(key, group);
      bodyOf.set((value & field.mask) >>> field.from, key);
    }
    const targets = new Map<string, Label>();
    const nest = ([body, ...rest]: readonly string[], absent: Label): void => {
      if (body === undefined) {
        const index = binary('shr_u', registers.word.get, i32Constant(field.from));
        const values = Array.from({ length: 2 ** field.width }, (_, value) => bodyOf.get(value));
        builder.branchTable(
          binary('and', index, i32Constant(2 ** field.width - 1)),
          values.map((key) => (key === undefined ? absent : targets.get(key)!)),
          absent,
        );
        return;
      }
      builder.block((label) => {
        targets.set(body, label);
        nest(rest, absent);
      });
      this.select(bodies.get(body)!, known | field.mask, labels);
    };
    builder.block((absent) => nest([...bodies.keys()], absent));
    this.illegal(labels);
  }

  private emitInstruction(instruction: Instruction, labels: { next: Label; event: Label }): void {
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

  private illegal({ event }: { event: Label }): void {
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
