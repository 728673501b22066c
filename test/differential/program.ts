import { Draw } from './draw';
import { freeRegisters, region, regionOf } from './layout';
import { Random } from './random';
import { standard, type Target } from './target';
import { floatValue, integerValue } from './values';

/** Instructions that belong together (a branch and its target, an LR and its SC): the unit of minimising. */
export type Group = readonly string[];

export type Mode = 0 | 1 | 3;

/** How a program starts. */
export interface Profile {
  readonly mode: Mode;
  /** Bits of `mstatus` besides MPP, e.g. FS, SUM, MXR. */
  readonly mstatus: bigint;
  /** Let the assembler use compressed forms wherever it can. */
  readonly compressed: boolean;
  readonly medeleg: bigint;
  readonly mideleg: bigint;
  /** Build page tables in the program's region and set satp. */
  readonly paging?: Paging;
}

/** A leaf entry of the 64 random ones: which of the region's frames (`frames`, `executable`, `table`), and bits 0..9, 54..63. */
export interface Leaf {
  readonly frame: number | 'executable' | 'table';
  readonly flags: bigint;
}

export interface Paging {
  readonly scheme: 'Sv39' | 'Sv48' | 'Sv57';
  readonly leaves: readonly Leaf[];
  /** Flags of the 2 MiB page that maps the patterns. */
  readonly superpage: bigint;
  /** Extra bits in the entry of the root that points to the middle table: not zero is reserved. */
  readonly pointerBits: bigint;
}

export const plainProfile: Profile = {
  mode: 3,
  mstatus: 0x6000n,
  compressed: false,
  medeleg: 0n,
  mideleg: 0n,
};

/** One kind of random program: a row of `streams/index.ts`. */
export interface Stream {
  readonly name: string;
  /** Default: `standard`. */
  readonly target?: Target;
  /** What its programs leave behind nothing but a reset removes: one program a QEMU, and a tenth of their number. */
  readonly alone?: true;
  /** Why its programs are never compared by blocks. */
  readonly stepwise?: string;
  /** Groups per program. */
  readonly length: number;
  profile(random: Random): Profile;
  group(draw: Draw): Group;
}

export interface Program {
  readonly stream: string;
  readonly seed: number;
  readonly target: Target;
  readonly profile: Profile;
  readonly groups: readonly Group[];
  /** x0..x31, then f0..f31; s10 is set by the image. */
  readonly registers: readonly bigint[];
  /** Initial data words, from `region.dataStart`. */
  readonly data: readonly bigint[];
  /** v0..v31, two words each; empty without the V extension. */
  readonly vectors: readonly bigint[];
}

/** The program that this stream and seed stand for. */
export function generate(stream: Stream, seed: number): Program {
  const random = new Random(seed);
  const profile = stream.profile(random);
  const integers = Array.from({ length: 32 }, (_, index) =>
    freeRegisters.includes(index) ? integerValue(random) : 0n,
  );
  const floats = Array.from({ length: 32 }, () => floatValue(random));
  const words = Number(region.dataEnd - region.dataStart) / 8;
  const data = Array.from({ length: words }, (_, index) =>
    index % 2 === 0 ? integerValue(random) : floatValue(random),
  );
  const draw = new Draw(random, profile);
  const groups = Array.from({ length: stream.length }, () => stream.group(draw));
  const { target = standard } = stream;
  const vectors = Array.from({ length: target.extensions.includes('v') ? 64 : 0 }, () =>
    random.chance(0.5) ? integerValue(random) : floatValue(random),
  );
  const registers = [...integers, ...floats];
  return { stream: stream.name, seed, target, profile, groups, registers, data, vectors };
}

/** Where s10 points while program `index` of a batch runs. */
export const dataPointer = (index: number): bigint => regionOf(index) + region.data;
