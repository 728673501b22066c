/**
 * Translating away from the guest: an order holds copies of all that a batch
 * of regions is made from, and what comes back is a module that is compiled.
 * Both can be posted to another thread and back.
 *
 * Whoever ordered goes on meanwhile, and checks when the module comes that
 * nothing it was made from has changed. No guest can tell when that was.
 */
import type { Instruction } from '../../isa/instruction';
import { buildDecoder, type Decoder } from '../interpreter/decode';
import { assemble, jumpsOf, type PlacedRegion } from './assemble';
import { NOTHING_SLOT } from './convention';
import { findRegion } from './region';

/** What compiles for one guest, in its own time. The caller's surroundings bring it; see models/guest.ts. */
export interface Compiler {
  /** One order at a time. Takes the order's bytes away. */
  begin(order: CompileOrder): void;
  /** What has come of the order; undefined as long as nothing has. Does not wait. */
  take(): Compiled | { readonly failed: string } | undefined;
}

/** A page of code as a region sees it: its number from the entry's page on, and its place in linear memory. */
export type NumberedPage = readonly [number: number, place: number];

export interface OrderedRegion {
  readonly place: number;
  readonly pages: readonly NumberedPage[];
}

export interface CompileOrder {
  /** Names of the hart's extensions: they are what its instructions follow from. */
  readonly extensions: readonly string[];
  readonly regions: readonly OrderedRegion[];
  /** Places of the pages that they name, and copies of these, one after the other. */
  readonly pages: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where indirect jumps in them were seen to go: places, by the place of the jump. */
  readonly targets: ReadonlyMap<number, ReadonlySet<number>>;
}

/** A region of a module. */
export interface CompiledRegion {
  readonly place: number;
  /** Places of the pages that it was made from. */
  readonly pages: readonly number[];
  /** Places of its indirect jumps. */
  readonly jumps: readonly number[];
  /** Instructions. */
  readonly length: number;
}

export interface Compiled {
  readonly module: WebAssembly.Module;
  /** Of the module, before it was compiled. */
  readonly bytes: number;
  readonly regions: readonly CompiledRegion[];
  /** Slots that were given away for it, by place. */
  readonly slots: ReadonlyMap<number, number>;
}

const decoders = new WeakMap<readonly Instruction[], Decoder>();

/** One decoder an instruction set. */
export function decoderOf(instructions: readonly Instruction[]): Decoder {
  const decoder = decoders.get(instructions) ?? buildDecoder(instructions);
  decoders.set(instructions, decoder);
  return decoder;
}

/** Carries out one guest's orders. It gives away the slots of the guest's table, and nobody else does. */
export class OrderCompiler {
  private readonly slots = new Map<number, number>();

  constructor(private readonly instructionsFor: (extensions: readonly string[]) => readonly Instruction[]) {}

  /** Regions that cannot be made are left out. */
  carryOut(order: CompileOrder): Compiled {
    const batch = this.find(order);
    const fresh = new Map<number, number>();
    const slotOf = (place: number): number => {
      const known = this.slots.get(place);
      if (known !== undefined) return known;
      const slot = NOTHING_SLOT + 1 + this.slots.size;
      this.slots.set(place, slot);
      fresh.set(place, slot);
      return slot;
    };
    const bytes = assemble(batch, slotOf);
    return {
      module: new WebAssembly.Module(bytes),
      bytes: bytes.length,
      regions: batch.map(({ place, region }) => ({
        place,
        pages: [...region.pages.values()],
        jumps: jumpsOf(region),
        length: region.length,
      })),
      slots: fresh,
    };
  }

  private find({ extensions, regions, pages, bytes, targets }: CompileOrder): PlacedRegion[] {
    const decoder = decoderOf(this.instructionsFor(extensions));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const starts = new Map(pages.map((place, i) => [place, i * PAGE]));
    const memory = {
      getUint16: (place: number, littleEndian: boolean): number =>
        view.getUint16(starts.get(place - (place % PAGE))! + (place % PAGE), littleEndian),
    };
    return regions.flatMap(({ place, pages: numbered }) => {
      const places = new Map(numbered);
      const region = findRegion(memory, decoder, place % PAGE, {
        page: (number) => places.get(number),
        targets: (jump) => targets.get(jump) ?? [],
      });
      return region ? [{ place, region }] : [];
    });
  }
}

const PAGE = 4096;
