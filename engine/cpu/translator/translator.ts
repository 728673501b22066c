/**
 * Translated code of one hart's memory: what was made from which place, where
 * it stands in the table, and when it has to go.
 *
 * Code is known by its place in RAM, so that it serves all address spaces and
 * modes. Whoever jumps looks the address up in the fetch TLB, which gives the
 * place. A page that code was made from is marked in CODE_PAGES, and the small
 * TLBs do not have it for stores: so the first store to it comes by
 * `code_written`, and drops what was made from it.
 */
import type { Instruction } from '../../isa/instruction';
import { FunctionBuilder } from '../../wasm/function-builder';
import { ModuleBuilder } from '../../wasm/module-builder';
import { i32Constant } from '../../wasm/expression';
import { ABSOLUTE } from '../interpreter/emitter';
import * as at from '../layout';
import { assemble, jumpsOf } from './assemble';
import {
  type Compiled,
  type CompiledRegion,
  type Compiler,
  type NumberedPage,
  type OrderedRegion,
  decoderOf,
} from './compiler';
import { LEAVE, NOTHING_SLOT, jumpCacheOffset, regionSignature } from './convention';
import { Heat } from './heat';
import { walk } from './page-walk';
import { type Region, findRegion } from './region';
import type { Samples } from './samples';
import type { WarmCandidate } from './warm-start';

export interface TranslatorOptions {
  /** Arrivals at a place before it is translated; 0: at the first. */
  readonly threshold: number;
  /** Bytes of WebAssembly that are kept at most. */
  readonly codeSize: number;
  /** Steps that candidates wait for more of them; default: as long as pays. */
  readonly patience?: number;
  /** What compiles beside the guest, one for each; absent: modules are compiled between two runs of it. */
  readonly compiler?: (() => Compiler | undefined) | undefined;
  /**
   * Instructions of a region at most; absent: as many as are good. With 1, each instruction is translated by itself, so
   * that a run of one instruction executes translated code.
   */
  readonly regionLength?: number;
  /** Another row in place of one of the table: for tests of those who compare engines. */
  readonly substitute?: (row: Instruction) => Instruction;
}

export const defaultTranslatorOptions: TranslatorOptions = { threshold: 30_000, codeSize: 64 * 2 ** 20 };

/** Functions in one module at most: small ones cost more memory each, large ones come late. */
const BATCH = 50;
/** Steps that candidates wait for more of them, where the guest waits for their compilation. */
const PATIENCE = 10_000_000;
/**
 * The share of a run that a profile may take: an instruction is translated for as many executed ones, which is about a
 * fifth of the time. Some are free, so that a short slice has them at once.
 */
const STEPS_A_WARM_INSTRUCTION = 40_000;
const WARM_INSTRUCTIONS_FREE = 1000;
/** Steps between two looks for what the profile names. */
const WARM_INTERVAL = 8_000_000;
/** Regions of a profile that are translated at once. */
const WARM_BATCH = 20;
/** Steps that candidates wait for more of them where they are compiled beside the guest. */
const ORDER_PATIENCE = 5_000_000;
/** Pages whose code is dropped so often are data that happens to be executed. */
const DROPS_MOST = 20;

/** Times that a jump has to be seen going to a place, among those of the ring. */
const SEEN_OFTEN = 4;
/** How often a region is translated anew because more is known of its jumps. */
const REVISIONS_MOST = 5;

interface Translation {
  readonly place: number;
  /** As it was found. */
  readonly candidate: Candidate;
  /** Places of its indirect jumps. */
  readonly jumps: readonly number[];
  readonly slot: number;
  /** Pages of RAM, by number. */
  readonly pages: readonly number[];
}

interface Found {
  readonly region: Region;
  readonly candidate: Candidate;
}

/** A batch that is compiled beside the guest. */
interface Outstanding {
  readonly candidates: ReadonlyMap<number, Candidate>;
  /** Pages of RAM that it was copied from and that are as they were, by number. */
  readonly pages: Set<number>;
  /** Those that have changed since. */
  readonly changed: Set<number>;
}

interface Candidate {
  readonly pc: bigint;
  readonly satp: bigint;
  readonly place: number;
  readonly privilege: number;
}

export interface TranslationCounts {
  regions: number;
  instructions: number;
  bytes: number;
  modules: number;
  dropped: number;
  flushed: number;
}

export class Translator {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 0 });
  readonly counts: TranslationCounts = {
    regions: 0,
    instructions: 0,
    bytes: 0,
    modules: 0,
    dropped: 0,
    flushed: 0,
  };
  private readonly cells: DataView;
  private readonly codePages: Uint8Array;
  private readonly slots = new Map<number, number>();
  private readonly translations = new Map<number, Translation>();
  private readonly byPage = new Map<number, Set<Translation>>();
  private readonly drops = new Map<number, number>();
  /** Where indirect jumps were seen to go, by the place of the jump. */
  private readonly targets = new Map<number, Set<number>>();
  private readonly byJump = new Map<number, Set<Translation>>();
  private readonly revisions = new Map<number, number>();
  private readonly heat: Heat;
  /** Of the profile, in reach and not translated yet; hottest first. */
  private warm: WarmCandidate[] = [];
  /** What of the profile may still be translated, in instructions. */
  private warmCredit = WARM_INSTRUCTIONS_FREE;
  private lastWarm = 0;
  private jumpsSeen = 0;
  /** Bytes of modules since everything was dropped last. */
  size = 0;
  private readonly nothing: unknown;
  /** Undefined: there is none, and nothing is compiled but between two runs. */
  private compiler: Compiler | undefined;
  /** Why the compiler is used no longer. */
  compilerFailure: string | undefined;
  private readonly patience: number;
  private outstanding: Outstanding | undefined;
  /** Low half of the steps when something was last translated. */
  private lastSteps = 0;

  private readonly instructions: readonly Instruction[];

  constructor(
    private readonly memory: WebAssembly.Memory,
    instructions: readonly Instruction[],
    private readonly extensions: readonly string[],
    readonly options: TranslatorOptions,
    /** Exports of the helper module. */
    private readonly helperExports: () => Record<string, unknown>,
  ) {
    this.instructions = options.substitute ? instructions.map(options.substitute) : instructions;
    this.cells = new DataView(memory.buffer);
    this.heat = new Heat(this.cells);
    this.codePages = new Uint8Array(memory.buffer, at.CODE_PAGES, at.CANDIDATES - at.CODE_PAGES);
    // What is to be translated at once cannot wait for another thread.
    this.compiler = options.threshold === 0 ? undefined : options.compiler?.();
    const { threshold, patience = this.compiler ? ORDER_PATIENCE : PATIENCE } = options;
    this.patience = threshold === 0 ? 0 : patience;
    this.nothing = makeNothing(memory);
    this.table.grow(1, this.nothing);
    this.cells.setUint32(at.CANDIDATE_BATCH, options.threshold === 0 ? 1 : BATCH, true);
  }

  /** Translates what has become hot. Not from within translated code. */
  translate(): void {
    if (this.compiler) return this.orderCandidates();
    this.lastSteps = this.cells.getUint32(at.STEPS, true);
    const candidates = this.takeCandidates();
    const fresh = new Map<number, Found>();
    for (const candidate of candidates) {
      const { place } = candidate;
      const known = this.translations.get(place);
      if (known) this.remember(known);
      else if (!fresh.has(place)) {
        const region = this.find(candidate);
        if (region) fresh.set(place, { candidate, region });
        this.heat.discovered++;
      }
    }
    if (fresh.size > 0) this.compile([...fresh.values()]);
  }

  /** What was hot when the guest ran elsewhere is translated first. @throws StateError on bytes that are no profile. */
  useProfile(profile: Uint8Array): void {
    this.heat.use(profile);
  }

  /** What was hot, for whoever runs the guest next; undefined: nothing worth mentioning has changed. */
  takeProfile(): Uint8Array | undefined {
    return this.heat.take(this.translations.values());
  }

  get samples(): Samples {
    return this.heat.samples;
  }

  /** Between two runs: looks where the guest is, and translates what has waited for long enough. */
  catchUp(): void {
    this.heat.samples.take();
    this.warmUp();
    this.translateLeftovers();
  }

  /** Translates what a profile names, as far as its share goes. */
  private warmUp(): void {
    const now = this.cells.getUint32(at.STEPS, true);
    const steps = (now - this.lastWarm) >>> 0;
    if (steps < Math.min(WARM_INTERVAL, this.patience)) return;
    this.lastWarm = now;
    this.warmCredit += steps / STEPS_A_WARM_INSTRUCTION;
    const arrived = this.heat.arrivals();
    if (arrived.length > 0) this.warm = [...this.warm, ...arrived].sort((a, b) => b.heat - a.heat);
    if (this.compiler) return;
    const batch: Found[] = [];
    while (this.warm.length > 0 && batch.length < WARM_BATCH && this.warmCredit > 0) {
      const candidate = this.warm.shift()!;
      if (this.translations.has(candidate.place)) continue;
      const region = this.find(candidate);
      if (!region) continue;
      this.warmCredit -= region.length;
      batch.push({ region, candidate });
    }
    if (batch.length > 0) this.compile(batch);
  }

  private translateLeftovers(): void {
    if (this.compiler) return this.orderNext();
    const candidates = this.cells.getUint32(at.CANDIDATE_COUNT, true);
    const jumps = this.cells.getUint32(at.JUMPS_NEXT, true);
    if (candidates === 0 && jumps === this.jumpsSeen) return;
    const now = this.cells.getUint32(at.STEPS, true);
    if ((now - this.lastSteps) >>> 0 < this.patience) return;
    this.revise();
    this.translate();
  }

  /** Takes what the compiler has made, and orders what has waited for long enough. */
  private orderNext(): void {
    const { outstanding } = this;
    if (outstanding) {
      const result = this.compiler!.take();
      if (result === undefined) return;
      this.outstanding = undefined;
      if ('failed' in result) return this.doWithoutCompiler(result.failed, outstanding);
      this.install(result, outstanding);
    }
    const now = this.cells.getUint32(at.STEPS, true);
    const waits = this.warm.length > 0 || (now - this.lastSteps) >>> 0 >= this.patience;
    if (waits) this.orderCandidates();
  }

  /** What was ordered becomes hot again, and is compiled between two runs. */
  private doWithoutCompiler(why: string, { pages }: Outstanding): void {
    this.compiler = undefined;
    this.compilerFailure = why;
    for (const page of pages) this.unmark(page);
  }

  private orderCandidates(): void {
    if (this.outstanding) return;
    this.lastSteps = this.cells.getUint32(at.STEPS, true);
    const stale = this.staleTranslations();
    const candidates = this.takeCandidates();
    this.heat.discovered += candidates.length;
    const batch = new Map<number, Candidate>();
    for (const candidate of candidates) {
      const known = this.translations.get(candidate.place);
      if (known) this.remember(known);
      else batch.set(candidate.place, candidate);
    }
    for (const { place, candidate } of stale) batch.set(place, candidate);
    while (this.warm.length > 0 && batch.size < BATCH) {
      const candidate = this.warm.shift()!;
      if (!this.translations.has(candidate.place)) batch.set(candidate.place, candidate);
    }
    if (batch.size > 0) this.order(batch);
  }

  /** Copies the pages that the batch may be made from, and marks them: a write is noticed from now on. */
  private order(batch: ReadonlyMap<number, Candidate>): void {
    const regions = [...batch.values()].map((candidate): OrderedRegion => {
      return { place: candidate.place, pages: this.pagesAround(candidate) };
    });
    const places = new Set(regions.flatMap(({ pages }) => pages.map(([, place]) => place)));
    const pages = [...places];
    const bytes = new Uint8Array(4096 * pages.length);
    pages.forEach((place, i) => bytes.set(new Uint8Array(this.memory.buffer, place, 4096), 4096 * i));
    const numbers = new Set(pages.map(pageNumber));
    this.outstanding = { candidates: batch, pages: numbers, changed: new Set() };
    for (const page of numbers) this.codePages[page >> 3]! |= 1 << (page & 7);
    this.watchStores();
    const targets = new Map([...this.targets].filter(([jump]) => places.has(jump & ~0xfff)));
    this.compiler!.begin({ extensions: this.extensions, regions, pages, bytes, targets });
  }

  /** The entry's page and its neighbours, where they are mapped. */
  private pagesAround(candidate: Candidate): NumberedPage[] {
    const pageOf = this.pageFinder(candidate);
    return [0, -1, 1, 2].flatMap((number): NumberedPage[] => {
      const place = pageOf(number);
      return place === undefined ? [] : [[number, place]];
    });
  }

  /** Puts a compiled module in place; what was made from pages that have changed is left out. */
  private install(compiled: Compiled, { candidates, pages, changed }: Outstanding): void {
    for (const [place, slot] of compiled.slots) this.giveSlot(place, slot);
    if (compiled.regions.length > 0) {
      this.instantiate(compiled.module, compiled.bytes);
      for (const region of compiled.regions) {
        const candidate = candidates.get(region.place)!;
        if (region.pages.some((page) => changed.has(pageNumber(page)))) this.discard(region.place);
        else this.add(region, candidate);
      }
    }
    for (const page of pages) this.unmark(page);
  }

  /** The table holds a function that was made from what is there no longer. */
  private discard(place: number): void {
    const known = this.translations.get(place);
    if (known) this.drop(known);
    else this.table.set(this.slotOf(place), this.nothing);
  }

  /** Regions whose indirect jumps left them are translated anew, with what they went to. */
  private revise(): void {
    const batch: Found[] = [];
    for (const { candidate } of this.staleTranslations()) {
      const region = this.find(candidate);
      if (region) batch.push({ region, candidate });
    }
    if (batch.length > 0) this.compile(batch);
  }

  /** Translations of whose indirect jumps more is known than when they were made. */
  private staleTranslations(): Translation[] {
    const jumps = this.cells.getUint32(at.JUMPS_NEXT, true);
    const length = Math.min((jumps - this.jumpsSeen) >>> 0, at.JUMPS_MASK + 8);
    this.jumpsSeen = jumps;
    const seen = new Map<number, number>();
    const stale = new Set<Translation>();
    for (let offset = 0; offset < length; offset += 8) {
      const jump = this.cells.getInt32(at.JUMPS + offset, true);
      const target = this.cells.getInt32(at.JUMPS + offset + 4, true);
      if (Math.abs(jump - target) > 4096 || (target & 0xfff) === 0xffe) continue;
      const key = jump * 0x4000 + (target - jump + 4096);
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      if (times !== SEEN_OFTEN) continue;
      const known = this.targets.get(jump) ?? new Set();
      this.targets.set(jump, known.add(target));
      for (const translation of this.byJump.get(jump) ?? []) stale.add(translation);
    }
    return [...stale].filter(({ place }) => {
      const revision = (this.revisions.get(place) ?? 0) + 1;
      this.revisions.set(place, revision);
      return revision <= REVISIONS_MOST;
    });
  }

  /** RAM changes: what was made from the page is dropped. */
  written(page: number): void {
    this.heat.written(page);
    if (this.outstanding?.pages.delete(page)) {
      this.outstanding.changed.add(page);
      this.unmark(page);
    }
    const translations = this.byPage.get(page);
    if (!translations) return;
    this.drops.set(page, (this.drops.get(page) ?? 0) + 1);
    for (const translation of translations) this.drop(translation);
    (this.helperExports()['request_poll'] as () => void)();
  }

  /** As `written`, for pages that may have no code at all. */
  changed(first: number, pages: number): void {
    for (let page = first; page < first + pages; page++) {
      if (((this.codePages[page >> 3]! >> (page & 7)) & 1) !== 0) this.written(page);
    }
  }

  /** Drops everything. */
  forget(): void {
    for (const translation of [...this.translations.values()]) this.drop(translation);
    this.size = 0;
    this.counts.flushed++;
  }

  private find(candidate: Candidate): Region | undefined {
    return findRegion(this.cells, decoderOf(this.instructions), candidate.place & 0xfff, {
      page: this.pageFinder(candidate),
      targets: (jump) => this.targets.get(jump) ?? [],
      length: this.options.regionLength,
    });
  }

  /** Place of a page by its number from the candidate's; undefined where there is none that is worth translating. */
  private pageFinder({ pc, satp, privilege, place }: Candidate): (number: number) => number | undefined {
    const base = pc & ~0xfffn;
    return (number) => {
      const found =
        number === 0
          ? place & ~0xfff
          : walk(this.cells, { satp, privilege }, BigInt.asUintN(64, base + BigInt(number * 4096)));
      return found !== undefined && (this.drops.get(pageNumber(found)) ?? 0) < DROPS_MOST ? found : undefined;
    };
  }

  private compile(batch: readonly Found[]): void {
    const placed = batch.map(({ region, candidate }) => ({ region, place: candidate.place }));
    const bytes = assemble(placed, (place) => this.slotOf(place));
    this.instantiate(new WebAssembly.Module(bytes), bytes.length);
    for (const { region, candidate } of batch) {
      const { place } = candidate;
      const pages = [...region.pages.values()];
      this.add({ place, pages, jumps: jumpsOf(region), length: region.length }, candidate);
    }
    this.watchStores();
  }

  /** The module's regions stand in the table from now on. */
  private instantiate(module: WebAssembly.Module, bytes: number): void {
    if (this.size > this.options.codeSize) this.forget();
    new WebAssembly.Instance(module, {
      env: { memory: this.memory, table: this.table },
      helpers: this.helperExports(),
    });
    this.size += bytes;
    this.counts.bytes += bytes;
    this.counts.modules++;
  }

  private add({ place, pages: places, jumps, length }: CompiledRegion, candidate: Candidate): void {
    const known = this.translations.get(place);
    if (known) this.forgetPlaces(known);
    const pages = places.map(pageNumber);
    const translation = { place, candidate, slot: this.slotOf(place), pages, jumps };
    this.counts.regions++;
    this.counts.instructions += length;
    this.translations.set(place, translation);
    for (const page of pages) {
      this.byPage.set(page, (this.byPage.get(page) ?? new Set()).add(translation));
      this.codePages[page >> 3]! |= 1 << (page & 7);
    }
    for (const jump of translation.jumps) {
      this.byJump.set(jump, (this.byJump.get(jump) ?? new Set()).add(translation));
    }
    this.remember(translation);
  }

  private drop(translation: Translation): void {
    const { place, slot } = translation;
    this.counts.dropped++;
    this.translations.delete(place);
    this.table.set(slot, this.nothing);
    const line = at.JUMP_CACHE + jumpCacheOffset(place);
    if (this.cells.getInt32(line, true) === place) this.cells.setInt32(line, 0, true);
    this.forgetPlaces(translation);
  }

  private forgetPlaces(translation: Translation): void {
    for (const jump of translation.jumps) this.byJump.get(jump)?.delete(translation);
    for (const page of translation.pages) {
      const others = this.byPage.get(page);
      if (!others?.delete(translation) || others.size > 0) continue;
      this.byPage.delete(page);
      this.unmark(page);
    }
  }

  /** Writes to a page that no code was made from need not be noticed. */
  private unmark(page: number): void {
    if (this.byPage.has(page) || this.outstanding?.pages.has(page)) return;
    this.codePages[page >> 3]! &= ~(1 << (page & 7));
  }

  private remember({ place, slot }: Translation): void {
    const line = at.JUMP_CACHE + jumpCacheOffset(place);
    this.cells.setInt32(line, place, true);
    this.cells.setInt32(line + 4, slot, true);
  }

  /** Write entries of pages with code are made to miss. */
  private watchStores(): void {
    for (let context = 0; context < at.TLB_CONTEXTS; context++) {
      const first = at.TLB + context * at.TLB_CONTEXT + at.TLB_WRITE;
      for (let entry = first; entry < first + at.TLB_KIND; entry += at.TLB_ENTRY) {
        const low = this.cells.getUint32(entry, true);
        if ((low & 0xfff) !== 0) continue; // none
        const page = pageNumber((low + this.cells.getUint32(entry + 8, true)) >>> 0);
        if (((this.codePages[page >> 3]! >> (page & 7)) & 1) !== 0) this.cells.setBigInt64(entry, -1n, true);
      }
    }
  }

  private slotOf(place: number): number {
    const known = this.slots.get(place);
    if (known !== undefined) return known;
    const slot = NOTHING_SLOT + 1 + this.slots.size;
    this.giveSlot(place, slot);
    return slot;
  }

  private giveSlot(place: number, slot: number): void {
    while (slot >= this.table.length) this.table.grow(1024, this.nothing);
    this.slots.set(place, slot);
  }

  private takeCandidates(): Candidate[] {
    const { cells } = this;
    const count = cells.getUint32(at.CANDIDATE_COUNT, true);
    cells.setUint32(at.CANDIDATE_COUNT, 0, true);
    return Array.from({ length: count }, (_, i) => {
      const candidate = at.CANDIDATES + i * at.CANDIDATE_SIZE;
      return {
        pc: cells.getBigUint64(candidate, true),
        satp: cells.getBigUint64(candidate + 8, true),
        place: cells.getUint32(candidate + 16, true),
        privilege: cells.getUint32(candidate + 20, true),
      };
    });
  }
}

const pageNumber = (place: number): number => (place - at.RAM) >>> 12;

/** The function that stands in the table where nothing is translated: leaves at once. */
function makeNothing(memory: WebAssembly.Memory): unknown {
  const module = new ModuleBuilder();
  module.importMemory('env', 1);
  const builder = new FunctionBuilder(regionSignature.parameters);
  builder.store('i64.store', ABSOLUTE, builder.parameter<'i64'>(0).get, at.PC);
  builder.store('i32.store', ABSOLUTE, builder.parameter<'i32'>(1).get, at.COUNTDOWN);
  builder.return(i32Constant(LEAVE));
  builder.unreachable();
  module.define('nothing', regionSignature, builder);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { env: { memory } });
  return instance.exports['nothing'];
}
