/**
 * Translated code of one hart's memory: what was made from which place, where
 * it stands in the table, and when it has to go.
 *
 * Code is known by its place in RAM, so that it serves all address spaces and
 * modes. Whoever jumps looks the address up in the fetch TLB, which gives the
 * place. A page that code was made from is marked in CODE_PAGES, and its write
 * entries in the TLBs are TLB_CLEAN: so the first store to it comes by
 * `code_written`, and drops what was made from it.
 */
import type { Instruction } from '../../isa/instruction';
import { FunctionBuilder } from '../../wasm/function-builder';
import { ModuleBuilder } from '../../wasm/module-builder';
import { i32Constant } from '../../wasm/expression';
import { helpers } from '../helpers';
import { type Decoder, buildDecoder } from '../interpreter/decode';
import { ABSOLUTE } from '../interpreter/emitter';
import * as at from '../layout';
import { LEAVE, NOTHING_SLOT, jumpCacheOffset, regionSignature } from './convention';
import { emitRegion } from './function';
import { walk } from './page-walk';
import { type Region, findRegion } from './region';

export interface TranslatorOptions {
  /** Arrivals at a place before it is translated; 0: at the first. */
  readonly threshold: number;
  /** Bytes of WebAssembly that are kept at most. */
  readonly codeSize: number;
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
/** Steps that candidates wait for more of them. */
const PATIENCE = 10_000_000;
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

const decoders = new WeakMap<readonly Instruction[], Decoder>();

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
  private jumpsSeen = 0;
  /** Bytes of modules since everything was dropped last. */
  private size = 0;
  private readonly nothing: unknown;
  /** Low half of the steps when something was last translated. */
  private lastSteps = 0;

  private readonly instructions: readonly Instruction[];

  constructor(
    private readonly memory: WebAssembly.Memory,
    instructions: readonly Instruction[],
    readonly options: TranslatorOptions,
    /** Exports of the helper module. */
    private readonly helperExports: () => Record<string, unknown>,
  ) {
    this.instructions = options.substitute ? instructions.map(options.substitute) : instructions;
    this.cells = new DataView(memory.buffer);
    this.codePages = new Uint8Array(memory.buffer, at.CODE_PAGES, at.CANDIDATES - at.CODE_PAGES);
    this.nothing = makeNothing(memory);
    this.table.grow(1, this.nothing);
    this.cells.setUint32(at.CANDIDATE_BATCH, options.threshold === 0 ? 1 : BATCH, true);
  }

  /** Translates what has become hot. Not from within translated code. */
  translate(): void {
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
      }
    }
    if (fresh.size > 0) this.compile([...fresh.values()]);
  }

  /** Between two runs: translates a batch that does not fill, once it has waited for long enough. */
  catchUp(): void {
    const candidates = this.cells.getUint32(at.CANDIDATE_COUNT, true);
    const jumps = this.cells.getUint32(at.JUMPS_NEXT, true);
    if (candidates === 0 && jumps === this.jumpsSeen) return;
    const now = this.cells.getUint32(at.STEPS, true);
    const patience = this.options.threshold === 0 ? 0 : PATIENCE;
    if ((now - this.lastSteps) >>> 0 < patience) return;
    this.revise();
    this.translate();
  }

  /** Regions whose indirect jumps left them are translated anew, with what they went to. */
  private revise(): void {
    const jumps = this.cells.getUint32(at.JUMPS_NEXT, true);
    const length = Math.min((jumps - this.jumpsSeen) >>> 0, at.JUMPS_MASK + 8);
    this.jumpsSeen = jumps;
    const seen = new Map<string, number>();
    const stale = new Set<Translation>();
    for (let offset = 0; offset < length; offset += 8) {
      const jump = this.cells.getInt32(at.JUMPS + offset, true);
      const target = this.cells.getInt32(at.JUMPS + offset + 4, true);
      const key = `${jump},${target}`;
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      if (times !== SEEN_OFTEN || Math.abs(jump - target) > 4096 || (target & 0xfff) === 0xffe) continue;
      const known = this.targets.get(jump) ?? new Set();
      this.targets.set(jump, known.add(target));
      for (const translation of this.byJump.get(jump) ?? []) stale.add(translation);
    }
    const batch: Found[] = [];
    for (const { place, candidate } of stale) {
      const revision = (this.revisions.get(place) ?? 0) + 1;
      if (revision > REVISIONS_MOST) continue;
      this.revisions.set(place, revision);
      const region = this.find(candidate);
      if (region) batch.push({ region, candidate });
    }
    if (batch.length > 0) this.compile(batch);
  }

  /** RAM changes: what was made from the page is dropped. */
  written(page: number): void {
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

  private find({ pc, satp, privilege, place }: Candidate): Region | undefined {
    const base = pc & ~0xfffn;
    const own = place & ~0xfff;
    return findRegion(this.cells, this.decoder, place & 0xfff, {
      page: (number) => {
        const found =
          number === 0
            ? own
            : walk(this.cells, { satp, privilege }, BigInt.asUintN(64, base + BigInt(number * 4096)));
        return found !== undefined && (this.drops.get(pageNumber(found)) ?? 0) < DROPS_MOST
          ? found
          : undefined;
      },
      targets: (jump) => this.targets.get(jump) ?? [],
      length: this.options.regionLength,
    });
  }

  private compile(batch: readonly Found[]): void {
    if (this.size > this.options.codeSize) this.forget();
    const module = new ModuleBuilder();
    module.importMemory('env', 1);
    module.importTable('env');
    const used = new Set(
      batch.flatMap(({ region }) =>
        region.blocks.flatMap(({ steps }) => steps.flatMap(({ facts }) => [...facts.helpers])),
      ),
    );
    const callees = new Map(
      [...used].map(
        (name) => [name, module.importFunction('helpers', name, helpers.get(name)!.signature)] as const,
      ),
    );
    const type = module.tableType(regionSignature);
    const slotOf = (place: number): number => this.slotOf(place);
    for (const { region, candidate } of batch) {
      module.place(slotOf(candidate.place), regionSignature, emitRegion(region, { callees, type, slotOf }));
      this.counts.instructions += region.length;
    }
    const bytes = module.bytes();
    new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory: this.memory, table: this.table },
      helpers: this.helperExports(),
    });
    this.size += bytes.length;
    this.counts.bytes += bytes.length;
    this.counts.modules++;
    for (const found of batch) this.add(found);
    this.watchStores();
  }

  private add({ region, candidate }: Found): void {
    const { place } = candidate;
    const known = this.translations.get(place);
    if (known) this.forgetPlaces(known);
    const pages = [...region.pages.values()].map(pageNumber);
    const translation = { place, candidate, slot: this.slotOf(place), pages, jumps: jumpsOf(region) };
    this.counts.regions++;
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
      this.codePages[page >> 3]! &= ~(1 << (page & 7));
    }
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
        if ((low & 0xfff) !== 0) continue; // none, or clean already
        const page = pageNumber((low + this.cells.getUint32(entry + 8, true)) >>> 0);
        if (((this.codePages[page >> 3]! >> (page & 7)) & 1) !== 0)
          this.cells.setUint32(entry, low | at.TLB_CLEAN, true);
      }
    }
  }

  private slotOf(place: number): number {
    const known = this.slots.get(place);
    if (known !== undefined) return known;
    const slot = NOTHING_SLOT + 1 + this.slots.size;
    if (slot >= this.table.length) this.table.grow(1024, this.nothing);
    this.slots.set(place, slot);
    return slot;
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

  private get decoder(): Decoder {
    let decoder = decoders.get(this.instructions);
    if (!decoder) decoders.set(this.instructions, (decoder = buildDecoder(this.instructions)));
    return decoder;
  }
}

/** Places of a region's indirect jumps. */
const jumpsOf = ({ blocks, pages }: Region): number[] =>
  blocks
    .filter(({ ending }) => ending.kind === 'indirect')
    .map(({ steps }) => steps[steps.length - 1]!.offset)
    .map((offset) => pages.get(offset >> 12)! + (offset & 0xfff));

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
