/**
 * A region as one WebAssembly function, by the convention of convention.ts.
 *
 * The countdown is taken down by whole blocks, and tested where a path begins
 * that has an end: at the entry, at loop headers and behind calls. What is left
 * at a cut is the interpreter's.
 */
import {
  type I32,
  type I64,
  binary,
  compare,
  doubleOf,
  i32Constant,
  i64Constant,
  load,
  select,
  wrap,
} from '../../wasm/expression';
import { FunctionBuilder, type Label, type Local } from '../../wasm/function-builder';
import type { Callee, TableType } from '../../wasm/module-builder';
import type { ValueType } from '../../wasm/opcodes';
import { ABSOLUTE, Temporaries } from '../interpreter/emitter';
import * as at from '../layout';
import { INTERPRET, LEAVE, NOTHING_SLOT, jumpCacheLine, regionSignature } from './convention';
import { type DataFlow, analyse, mayLeave } from './data-flow';
import { type Frame, TranslatorEmitter, type WaysOut, aheadOf, offsetOf, placeOf } from './emitter';
import type { Block, Region, Step } from './region';
import { type RegisterSet, forEach, keyOf, none, union } from './register-set';
import { type Item, type Structure, structure } from './structure';

export interface Surroundings {
  readonly callees: ReadonlyMap<string, Callee>;
  readonly type: TableType;
  /** The slot of the code at a place of linear memory, translated already or not. */
  slotOf(place: number): number;
}

export function emitRegion(region: Region, surroundings: Surroundings): FunctionBuilder {
  const emission = new RegionFunction(region, surroundings);
  emission.emit();
  return emission.builder;
}

/** Halfwords between the targets of an indirect jump at most, for a table. */
const LONGEST_TABLE = 1024;
const PAGE_SHIFT = 12;
const pageOf = (offset: number): number => offset >> PAGE_SHIFT;
const cell32 = (address: number): I32 => load('i32.load', ABSOLUTE, address) as I32;
const cell64 = (address: number): I64 => load('i64.load', ABSOLUTE, address) as I64;

class RegionFunction {
  readonly builder = new FunctionBuilder(regionSignature.parameters);
  private readonly structure: Structure;
  private readonly flow: DataFlow;
  private readonly needs: readonly number[];
  private readonly frame: Frame;
  private readonly emitter: TranslatorEmitter;
  private readonly depth = this.builder.parameter<'i32'>(2);
  private readonly fetchTlb = this.builder.local('i32');
  private readonly entry = this.builder.local('i32');
  private readonly result = this.builder.local('i32');
  /** Place of the code that was looked up last. */
  private readonly found = this.builder.local('i32');
  private readonly registers = new Map<string, Local>();
  /** Ways out by what they store and return. */
  private readonly exits = new Map<string, Label>();
  private readonly taken = new Set<string>();
  private readonly labels = new Map<number, { readonly label: Label; readonly select?: number }>();
  /** Which of its entries a loop is entered at. */
  private readonly selector = this.builder.local('i32');

  constructor(
    private readonly region: Region,
    private readonly surroundings: Surroundings,
  ) {
    const { builder } = this;
    this.structure = structure(region);
    this.flow = analyse(region, this.structure);
    this.needs = this.longestPaths();
    this.frame = {
      builder,
      temporaries: new Temporaries(builder),
      callees: surroundings.callees,
      base: builder.parameter<'i64'>(0),
      countdown: builder.parameter<'i32'>(1),
      place: builder.local('i32'),
      dataTlb: builder.local('i32'),
      special: builder.local('i32'),
      target: builder.local('i64'),
      x: (number) => this.register('x', number),
      f: (number) => this.register('f', number),
      single: (number) => this.local(`single${number}`, 'f32'),
    };
    this.emitter = new TranslatorEmitter(this.frame);
  }

  emit(): void {
    const { builder, frame, region } = this;
    const { entry } = region;
    const pageOffset = entry & 0xfff;
    builder.ifRarely(compare('lt_s', frame.countdown.get, i32Constant(this.needs[0]!)), () => {
      builder.store('i64.store', ABSOLUTE, frame.base.get, at.PC);
      builder.store('i32.store', ABSOLUTE, frame.countdown.get, at.COUNTDOWN);
      builder.return(i32Constant(INTERPRET));
    });
    if (pageOffset !== 0)
      builder.set(frame.base, binary('sub', frame.base.get, i64Constant(BigInt(pageOffset))));
    builder.set(frame.dataTlb, cell32(at.DATA_TLB));
    builder.set(this.fetchTlb, cell32(at.FETCH_TLB));
    this.reload(0);
    this.withExits([...this.waysOut()], () => this.items(this.structure.items));
    builder.unreachable();
  }

  // --- Ways out.

  /** Every set of registers that is dirty where control may leave, in all the ways to leave. */
  private waysOut(): Map<string, WayOut> {
    const ways = new Map<string, WayOut>();
    const add = (dirty: RegisterSet): void => {
      for (const how of ['trapped', 'leave', 'interpret'] as const)
        ways.set(exitKey(dirty, how), { dirty, how });
    };
    this.region.blocks.forEach((block, i) => {
      let dirty = this.flow.dirty[i]!;
      add(dirty);
      for (const step of block.steps) {
        const leaves = mayLeave(step);
        if (leaves) add(dirty);
        dirty = union(dirty, step.writes);
        if (leaves) add(dirty);
      }
      add(dirty);
    });
    add(none);
    return ways;
  }

  private withExits(ways: readonly (readonly [string, WayOut])[], body: () => void): void {
    const { builder, frame } = this;
    const [first, ...rest] = ways;
    if (!first) return body();
    const [key, { dirty, how }] = first;
    builder.block((label) => {
      this.exits.set(key, label);
      this.withExits(rest, body);
      builder.unreachable();
    });
    if (!this.taken.has(key)) return;
    if (how !== 'trapped') {
      const pc = binary('add', frame.base.get, offsetOf(frame.place.get));
      const countdown = binary('add', frame.countdown.get, aheadOf(frame.place.get));
      builder.store('i64.store', ABSOLUTE, pc, at.PC);
      builder.store('i32.store', ABSOLUTE, countdown, at.COUNTDOWN);
    }
    this.spill(dirty);
    builder.return(i32Constant(how === 'interpret' ? INTERPRET : LEAVE));
  }

  private exit(dirty: RegisterSet, how: WayOut['how']): Label {
    const key = exitKey(dirty, how);
    const label = this.exits.get(key);
    this.taken.add(key);
    if (!label) throw new Error('a way out of a region that was not foreseen');
    return label;
  }

  /** Leaves before the instruction at an offset. */
  private leaveAt(offset: number, dirty: RegisterSet, how: 'leave' | 'interpret', condition?: I32): void {
    const { builder, frame } = this;
    builder.set(frame.place, placeOf(offset, 0));
    if (condition) builder.branchRarely(condition, this.exit(dirty, how));
    else builder.branch(this.exit(dirty, how));
  }

  private spill(set: RegisterSet): void {
    forEach(set, (file, number) =>
      this.builder.store(
        file === 'x' ? 'i64.store' : 'f64.store',
        ABSOLUTE,
        this.register(file, number).get,
        cellOf(file, number),
      ),
    );
  }
  /** Brings into locals what a block that is entered from memory has need of. */
  private reload(number: number): void {
    const { builder, flow, emitter } = this;
    forEach(flow.needed[number]!, (file, index) => {
      const value = cell64(cellOf(file, index));
      if (file === 'x') builder.set(this.register(file, index), value);
      else builder.set(this.register(file, index), doubleOf(value));
    });
    if (flow.leadsToFloat[number]) emitter.lookAtFloat();
  }

  // --- Structure.

  /** Items in their order. With `entries`, control begins at one of them: `selector` says at which. */
  private items(items: readonly Item[], entries: readonly number[] = []): void {
    const { builder } = this;
    const starts = new Map<number, Label>();
    const several = entries.length > 1;
    const upTo = (last: number): void => {
      if (last < 0) {
        const labels = entries.map((entry) => starts.get(entry)!);
        builder.branchTable(this.selector.get, labels, labels[0]!);
        return;
      }
      const item = items[last]!;
      if (last > 0 || several) {
        builder.block((label) => {
          if (item.kind === 'loop')
            item.entries.forEach((entry, i) => this.open(entry, label, i, item.entries));
          else if (several && entries.includes(item.block)) starts.set(item.block, label);
          else this.open(item.block, label);
          upTo(last - 1);
        });
      }
      this.item(item);
    };
    upTo(items.length - 1);
  }

  private item(item: Item): void {
    if (item.kind === 'block') return this.block(item.block);
    const { builder } = this;
    const { entries } = item;
    builder.loop((head) => {
      entries.forEach((entry, i) => this.open(entry, head, i, entries));
      this.items(item.items, entries);
    });
    builder.unreachable();
  }

  /** Control that goes to a block goes to this label from now on. */
  private open(block: number, label: Label, select = 0, entries: readonly number[] = []): void {
    this.labels.set(block, { label, ...(entries.length > 1 && { select }) });
  }

  private block(number: number): void {
    const { builder, frame, flow, structure: shape } = this;
    const block = this.region.blocks[number]!;
    const { start, steps } = block;
    let dirty = flow.dirty[number]!;
    if (shape.headers.has(number)) this.testCountdown(start, this.needs[number]!, dirty);
    this.testPages(number, block, dirty);
    builder.set(frame.countdown, binary('sub', frame.countdown.get, i32Constant(steps.length)));
    this.emitter.beginBlock(flow.floatOn[number]!);
    steps.forEach((step, i) => {
      this.step(step, steps.length - 1 - i, dirty);
      dirty = union(dirty, step.writes);
    });
    this.end(number, block, dirty);
  }

  private step(step: Step, ahead: number, dirty: RegisterSet): void {
    const ways: WaysOut = {
      trapped: () => this.exit(dirty, 'trapped'),
      interpret: () => this.exit(dirty, 'interpret'),
    };
    this.emitter.begin(step, ways, ahead);
    step.instruction.semantics(this.emitter);
    this.leaveWhenPolled(step, dirty);
  }

  /** A helper may have asked for a poll: then it comes before the next instruction. */
  private leaveWhenPolled(step: Step, dirty: RegisterSet): void {
    const { builder, emitter } = this;
    if (!emitter.polled || step.facts.control !== 'none') return;
    builder.ifRarely(compare('ne', cell32(at.COUNTDOWN), emitter.counted), () => {
      builder.store('i64.store', ABSOLUTE, emitter.next, at.PC);
      builder.branch(this.exit(union(dirty, step.writes), 'trapped'));
    });
  }

  // --- What holds at the start of a block.

  /** Longest path from each block to where the countdown is tested again. */
  private longestPaths(): number[] {
    const { blocks } = this.region;
    const { headers, successors } = this.structure;
    const known: (number | undefined)[] = blocks.map(() => undefined);
    const longest = (number: number): number => {
      const before = known[number];
      if (before !== undefined) return before;
      const { ending, steps } = blocks[number]!;
      let behind = 0;
      if (ending.kind !== 'call') {
        for (const to of successors[number]!) if (!headers.has(to)) behind = Math.max(behind, longest(to));
      }
      return (known[number] = steps.length + behind);
    };
    return blocks.map((_, number) => longest(number));
  }

  private testCountdown(offset: number, need: number, dirty: RegisterSet): void {
    const { countdown } = this.frame;
    this.leaveAt(offset, dirty, 'interpret', compare('lt_s', countdown.get, i32Constant(need)));
  }

  /** Whoever comes from another page looks this one up, as the interpreter would; it does the rest when that fails. */
  private testPages(number: number, { start, steps }: Block, dirty: RegisterSet): void {
    const { region, structure: shape } = this;
    const elsewhere = region.blocks.some(
      (from, i) => pageOf(from.start) !== pageOf(start) && shape.successors[i]!.includes(number),
    );
    if (elsewhere) this.testPage(start, start, dirty);
    const [first] = steps;
    const crosses = (start & 0xfff) === 0xffe && first?.instruction.encoding.length === 4;
    if (crosses) this.testPage(start + 2, start, dirty);
  }

  /** Leaves at `pc` unless the fetch TLB maps the page of `offset` to where it was when this was translated. */
  private testPage(offset: number, pc: number, dirty: RegisterSet): void {
    this.leaveAt(pc, dirty, 'leave', this.mappedElsewhere(offset));
  }

  private mappedElsewhere(offset: number): I32 {
    const { builder, emitter } = this;
    const page = pageOf(offset);
    const virtual = emitter.address(page << PAGE_SHIFT);
    const mask = (at.TLB_ENTRIES - 1) * at.TLB_ENTRY;
    const index = binary('and', binary('shr_u', wrap(virtual), i32Constant(12 - 4)), i32Constant(mask));
    builder.set(this.entry, binary('add', this.fetchTlb.get, index));
    const place = this.region.pages.get(page);
    if (place === undefined) throw new Error('code in a page that was not found');
    const addend = binary('sub', i32Constant(place), wrap(virtual));
    return binary(
      'or',
      compare('ne', load('i64.load', this.entry.get) as I64, virtual),
      compare('ne', load('i32.load', this.entry.get, 8) as I32, addend),
    );
  }

  // --- Endings.

  private end(number: number, block: Block, dirty: RegisterSet): void {
    const { builder, frame, emitter } = this;
    const { ending } = block;
    switch (ending.kind) {
      case 'jump':
        return this.go(number, ending.to, dirty);
      case 'branch': {
        const condition = emitter.condition!;
        const inside = this.structure.index.get(ending.taken);
        if (inside !== undefined) builder.branchIf(condition, this.label(inside));
        else builder.if(condition, () => this.go(number, ending.taken, dirty));
        return this.go(number, ending.otherwise, dirty);
      }
      case 'call':
        return this.call(number, ending.to, ending.back, dirty);
      case 'return':
        this.spill(dirty);
        builder.store('i64.store', ABSOLUTE, frame.target.get, at.PC);
        return builder.return(frame.countdown.get);
      case 'indirect':
        this.goToKnown(ending.targets);
        this.spill(dirty);
        this.lookUp(frame.target.get);
        this.noteJump(block);
        return this.tail(this.result.get, frame.target.get);
      case 'leave':
        return this.follow(dirty);
      case 'interpret':
        return this.leaveAt(ending.at, dirty, 'leave');
    }
  }

  /** A trap, or the return from one: a helper has changed pc and mode. */
  private follow(dirty: RegisterSet): void {
    const { builder, frame } = this;
    // A poll comes first, and it may be that the run is to end.
    const polled = compare('ne', cell32(at.COUNTDOWN), frame.countdown.get);
    builder.branchRarely(polled, this.exit(dirty, 'trapped'));
    builder.store('i32.store', ABSOLUTE, i32Constant(0), at.TRAPPED);
    builder.set(this.fetchTlb, cell32(at.FETCH_TLB));
    builder.set(frame.target, cell64(at.PC));
    this.spill(dirty);
    this.lookUp(frame.target.get);
    this.tail(this.result.get, frame.target.get);
  }

  /** To one of the places that an indirect jump was seen to go to; goes on when it is another. */
  private goToKnown(targets: readonly number[]): void {
    const { builder, frame, emitter } = this;
    // Of a loop with several entries none can be told apart in one table.
    const inside = targets.filter((offset) => {
      const block = this.structure.index.get(offset);
      return block !== undefined && this.labels.get(block)?.select === undefined;
    });
    if (inside.length === 0) return;
    const first = Math.min(...inside);
    const length = (Math.max(...inside) - first) / 2 + 1;
    if (length > LONGEST_TABLE) return;
    const distance = frame.temporaries.take('i64');
    builder.set(distance, binary('sub', frame.target.get, emitter.address(first)));
    builder.block((elsewhere) => {
      builder.branchIf(compare('ge_u', distance.get, i64Constant(BigInt(2 * length))), elsewhere);
      const labels: Label[] = new Array<Label>(length).fill(elsewhere);
      for (const offset of inside) {
        labels[(offset - first) / 2] = this.label(this.structure.index.get(offset)!);
      }
      builder.branchTable(binary('shr_u', wrap(distance.get), i32Constant(1)), labels, elsewhere);
    });
  }

  /** Tells the translator where an indirect jump has gone; `lookUp` has found the place. */
  private noteJump({ steps }: Block): void {
    const { builder, entry } = this;
    const { offset } = steps[steps.length - 1]!;
    const jump = this.region.pages.get(pageOf(offset))! + (offset & 0xfff);
    builder.set(entry, binary('and', cell32(at.JUMPS_NEXT), i32Constant(at.JUMPS_MASK)));
    builder.store('i32.store', entry.get, i32Constant(jump), at.JUMPS);
    builder.store('i32.store', entry.get, this.found.get, at.JUMPS + 4);
    const next = binary('add', cell32(at.JUMPS_NEXT), i32Constant(8));
    builder.store('i32.store', ABSOLUTE, next, at.JUMPS_NEXT);
  }

  /** Where to branch to for a block, once the selector says which it is. */
  private label(block: number): Label {
    const open = this.labels.get(block);
    if (!open) throw new Error('control goes to a block that is not open');
    if (open.select !== undefined) this.builder.set(this.selector, i32Constant(open.select));
    return open.label;
  }

  /** To an address that is known, within the region or out of it. */
  private go(from: number, offset: number, dirty: RegisterSet): void {
    const { builder, emitter } = this;
    const inside = this.structure.index.get(offset);
    if (inside !== undefined) return builder.branch(this.label(inside));
    const slot = this.slotAt(offset);
    if (slot === undefined) return this.leaveAt(offset, dirty, 'leave');
    if (pageOf(offset) !== pageOf(this.region.blocks[from]!.start)) this.testPage(offset, offset, dirty);
    this.spill(dirty);
    this.tail(i32Constant(slot), emitter.address(offset));
  }

  private slotAt(offset: number): number | undefined {
    const page = this.region.pages.get(pageOf(offset));
    // An instruction in the last two bytes of a page is looked up in its own way.
    if (page === undefined || (offset & 0xfff) === 0xffe) return undefined;
    return this.surroundings.slotOf(page + (offset & 0xfff));
  }

  private tail(slot: I32, pc: I64): void {
    const { frame, depth } = this;
    this.builder.tail(this.surroundings.type.tailCall(slot, [pc, frame.countdown.get, depth.get]));
  }

  /** Finds the slot of the code at `target`, into `result`: that of nothing when the jump cache does not know it. */
  private lookUp(target: I64): void {
    const { builder, entry, result, fetchTlb, found: place } = this;
    const mask = (at.TLB_ENTRIES - 1) * at.TLB_ENTRY;
    const index = binary('and', binary('shr_u', wrap(target), i32Constant(12 - 4)), i32Constant(mask));
    builder.set(entry, binary('add', fetchTlb.get, index));
    builder.set(place, binary('add', wrap(target), load('i32.load', entry.get, 8) as I32));
    const mapped = compare(
      'eq',
      binary('and', target, i64Constant(-4096n)),
      load('i64.load', entry.get) as I64,
    );
    builder.set(result, mapped);
    builder.set(entry, jumpCacheLine(place.get));
    const known = compare('eq', load('i32.load', entry.get, at.JUMP_CACHE) as I32, place.get);
    const slot = load('i32.load', entry.get, at.JUMP_CACHE + 4) as I32;
    builder.set(result, select(binary('and', result.get, known), slot, i32Constant(NOTHING_SLOT)));
  }

  /** A guest call. All registers are in memory while it runs; pc says where it has come back to. */
  private call(number: number, to: number | undefined, back: number, dirty: RegisterSet): void {
    const { builder, frame, emitter, depth, result } = this;
    const { type } = this.surroundings;
    const target = to === undefined ? frame.target.get : emitter.address(to);
    const slot = to === undefined ? undefined : this.slotAt(to);
    if (slot !== undefined && pageOf(to!) !== pageOf(this.region.blocks[number]!.start))
      this.testPage(to!, to!, dirty);
    this.spill(dirty);
    builder.ifRarely(compare('eq', depth.get, i32Constant(0)), () => {
      builder.store('i64.store', ABSOLUTE, target, at.PC);
      builder.store('i32.store', ABSOLUTE, frame.countdown.get, at.COUNTDOWN);
      builder.return(i32Constant(LEAVE));
    });
    if (slot === undefined) this.lookUp(target);
    const callee = slot === undefined ? result.get : i32Constant(slot);
    const deeper = binary('sub', depth.get, i32Constant(1));
    builder.set(result, type.call(callee, [target, frame.countdown.get, deeper]) as I32);
    const elsewhere = compare('ne', cell64(at.PC), emitter.address(back));
    builder.ifRarely(binary('or', compare('lt_s', result.get, i32Constant(0)), elsewhere), () =>
      builder.return(result.get),
    );
    builder.set(frame.countdown, result.get);
    this.comeBack(back);
  }

  private comeBack(back: number): void {
    const { builder, frame } = this;
    const inside = this.structure.index.get(back);
    if (inside === undefined) return this.leaveAt(back, none, 'leave');
    // The callee may have changed mode, and come back from another.
    builder.set(frame.dataTlb, cell32(at.DATA_TLB));
    builder.set(this.fetchTlb, cell32(at.FETCH_TLB));
    this.testPage(back, back, none);
    this.testCountdown(back, this.needs[inside]!, none);
    this.reload(inside);
    this.builder.branch(this.label(inside));
  }

  private register<F extends 'x' | 'f'>(file: F, number: number): Local<F extends 'x' ? 'i64' : 'f64'> {
    return this.local(file + number, (file === 'x' ? 'i64' : 'f64') as F extends 'x' ? 'i64' : 'f64');
  }
  private local<T extends ValueType>(name: string, type: T): Local<T> {
    const known = this.registers.get(name);
    if (known) return known as Local<T>;
    const fresh = this.builder.local(type);
    this.registers.set(name, fresh);
    return fresh;
  }
}

interface WayOut {
  /** What is to be stored. */
  readonly dirty: RegisterSet;
  /** Trapped: pc and countdown are in memory, as a helper left them. Otherwise `place` says where. */
  readonly how: 'trapped' | 'leave' | 'interpret';
}

const exitKey = (dirty: RegisterSet, how: WayOut['how']): string => `${keyOf(dirty)},${how}`;
const cellOf = (file: 'x' | 'f', number: number): number => (file === 'x' ? at.X : at.F) + 8 * number;
