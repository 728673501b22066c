import { fields, indexOf, shownFields } from './architectural-state';
import { controlPage } from './layout';
import { codeBase } from './layout';
import { selectorBytes, type Image } from './image';
import { masked, type Masked } from './legal-differences';
import type { Target } from './target';
import type { TraceRecord } from './qemu';

/**
 * A hart that can be compared with QEMU: RAM from 0x80000000 on (at least
 * `memoryMebibytes`), pc there after construction, M-mode. Values are unsigned
 * 64-bit; reading them has no side effect.
 */
export interface SteppableHart {
  loadImage(address: bigint, bytes: Uint8Array): void;
  /** Executes one instruction, or takes the trap that it causes; or takes one pending interrupt. */
  step(): void;
  pc(): bigint;
  /** 0, 1 or 3. */
  privilege(): number;
  x(index: number): bigint;
  f(index: number): bigint;
  /** Half of a vector register: bits 0 to 63, or 64 to 127. Absent from a hart without vectors. */
  v?(index: number, half: 0 | 1): bigint;
  /** Any CSR of `architectural-state.ts`, whatever the current privilege. */
  csr(number: number): bigint;
}

/** @param extensions what the hart has besides RV64GC */
export type CreateHart = (extensions: readonly string[]) => SteppableHart;

export interface Difference {
  readonly field: string;
  readonly expected: bigint;
  readonly found: bigint;
}

/** The first instruction of a program after which the two sides differ. */
export interface Divergence {
  readonly program: number;
  /** Instructions of the program before this one. */
  readonly step: number;
  readonly pc: bigint;
  readonly instruction: string;
  readonly differences: readonly Difference[];
  /** QEMU's state before the instruction. */
  readonly before: BigUint64Array;
}

export interface Comparison {
  readonly divergences: readonly Divergence[];
  /** Instructions compared. */
  readonly compared: number;
  /** How often each address was executed. */
  readonly executions: ReadonlyMap<bigint, number>;
  /** Programs that QEMU ran to their end. */
  readonly finished: number;
}

const pcField = indexOf('pc');
const interruptBit = 1n << 63n;
/** Instruction access fault and page fault. */
const fetchFaults = new Set([1n, 12n]);
const traps = [
  [indexOf('mcause'), indexOf('mepc'), 0x342],
  [indexOf('scause'), indexOf('sepc'), 0x142],
] as const;

/** What is compared with a target's reference: which fields, and which bits of them. */
interface Scope {
  readonly compared: readonly number[];
  readonly mask: BigUint64Array;
  readonly conditional: readonly Masked[];
}

function scopeOf(target: Target): Scope {
  const rows = masked.filter(
    ({ reference }) => reference === undefined || reference === target.reference.name,
  );
  const mask = new BigUint64Array(fields.length).fill(0xffffffffffffffffn);
  for (const row of rows) {
    const index = indexOf(row.field);
    if (!row.after) mask[index] = (mask[index] ?? 0n) & ~row.bits;
  }
  return { compared: shownFields(target), mask, conditional: rows.filter((row) => row.after) };
}

const scopes = new WeakMap<Target, Scope>();
function scope(target: Target): Scope {
  const known = scopes.get(target) ?? scopeOf(target);
  scopes.set(target, known);
  return known;
}

function valueOf(hart: SteppableHart, index: number): bigint {
  const field = fields[index];
  if (!field) throw new Error(`no field ${index}`);
  switch (field.kind) {
    case 'pc':
      return hart.pc();
    case 'privilege':
      return BigInt(hart.privilege());
    case 'x':
      return hart.x(field.index);
    case 'f':
      return hart.f(field.index);
    case 'v':
      if (!hart.v) throw new Error('the hart shows no vector registers');
      return hart.v(field.index, field.half);
    case 'csr':
      return hart.csr(field.csr);
  }
}

/** Ignored bits by field, for as long as the two sides have not agreed on them since. */
type Tolerated = Map<number, bigint>;

function tolerate(tolerated: Tolerated, field: number, bits: bigint): void {
  tolerated.set(field, (tolerated.get(field) ?? 0n) | bits);
}

export function differencesBetween(
  expected: BigUint64Array,
  hart: SteppableHart,
  target: Target,
  tolerated?: Tolerated,
): Difference[] {
  const differences: Difference[] = [];
  const { compared, mask } = scope(target);
  for (const index of compared) {
    const want = expected[index] ?? 0n;
    const found = valueOf(hart, index);
    if (want === found) {
      tolerated?.delete(index);
      continue;
    }
    const bits = (mask[index] ?? 0n) & ~(tolerated?.get(index) ?? 0n);
    if (((want ^ found) & bits) !== 0n)
      differences.push({ field: fields[index]?.name ?? '?', expected: want, found });
  }
  return differences;
}

/**
 * Moves a hart along QEMU's records. The log has no record of an instruction
 * that could not be fetched, nor of the one in whose place an interrupt came:
 * the handler's first instruction is next. For a hart that is a step of its
 * own, or one together with the handler's first instruction.
 */
export class Follower {
  private ahead = false;

  constructor(readonly hart: SteppableHart) {}

  /** To the next record. False when the hart has passed it and can be compared only with the one after. */
  advance(expected: BigUint64Array): boolean {
    const { hart } = this;
    if (this.ahead) {
      this.ahead = false;
      return true;
    }
    hart.step();
    for (const [cause, epc, causeRegister] of traps) {
      const pc = hart.pc();
      if (pc === expected[pcField] || pc !== expected[epc]) continue;
      const reason = expected[cause] ?? 0n;
      if (reason < interruptBit && !fetchFaults.has(reason)) continue;
      hart.step();
      this.ahead =
        reason >= interruptBit && hart.pc() !== expected[pcField] && hart.csr(causeRegister) === reason;
      return !this.ahead;
    }
    return true;
  }

  /** To the next record when each is of a block: by so many steps that the hart is there. A block has no jumps but at its end. */
  advanceBlock(expected: BigUint64Array, passing: (pc: bigint) => void): void {
    for (let step = 0; step < longestBlock; step += 1) {
      passing(this.hart.pc());
      this.hart.step();
      if (this.hart.pc() === expected[pcField]) return;
    }
  }
}

/** How often the two sides are compared: after every instruction, or at the end of every translation block of QEMU's. */
export type Granularity = 'instruction' | 'block';

/** No block has more instructions: QEMU, accel/tcg/translator.h. */
const longestBlock = 512;

/** Generous bound of the instructions between two programs' bodies. */
const resetSteps = 2000;

/** Runs the batch on a hart beside QEMU's records. A program that differs is left; the next one starts on a new hart. */
export function compareBatch(
  image: Image,
  records: Iterable<TraceRecord>,
  createHart: CreateHart,
  granularity: Granularity = 'instruction',
): Comparison {
  const divergences: Divergence[] = [];
  const executions = new Map<bigint, number>();
  const before = new BigUint64Array(fields.length);
  let compared = 0;
  let finished = 0;
  let program = 0;
  let step = -1; // -1: on the way to the program's body
  const { target } = image;
  const { conditional } = scope(target);
  let follower = startAt(image, 0, createHart);

  const leave = (differences: readonly Difference[]): void => {
    const pc = step === 0 ? (image.bodies[program]?.start ?? 0n) : (before[pcField] ?? 0n);
    const instruction =
      step === 0
        ? 'not yet: the reset before the program differs'
        : (image.disassembly.get(pc) ?? 'not code');
    divergences.push({ program, step, pc, instruction, differences, before: before.slice() });
  };
  let running = true;
  const tolerated: Tolerated = new Map();
  /** Rows by the address of an instruction that they come after. */
  const conditionalAt = new Map<bigint, readonly Masked[]>();
  const pass = (pc: bigint): void => {
    executions.set(pc, (executions.get(pc) ?? 0) + 1);
    compared += 1;
    let rows = conditionalAt.get(pc);
    if (rows === undefined) {
      const text = image.disassembly.get(pc) ?? '';
      rows = conditional.filter(({ after }) => after?.test(text));
      conditionalAt.set(pc, rows);
    }
    for (const row of rows) tolerate(tolerated, indexOf(row.field), row.bits);
  };

  for (const { values } of records) {
    const body = image.bodies[program];
    if (!body) break; // the way to power-off
    const pc = values[pcField] ?? 0n;
    let comparable = true;
    if (step < 0) {
      if (pc !== body.start) continue;
      running = advanceTo(follower.hart, body.start);
      step = 0;
      tolerated.clear();
    } else {
      step += 1;
      if (running && granularity === 'block') follower.advanceBlock(values, pass);
      else if (running) {
        comparable = follower.advance(values);
        pass(before[pcField] ?? 0n);
      }
    }
    if (running && comparable) {
      const differences = differencesBetween(values, follower.hart, target, tolerated);
      if (differences.length > 0) {
        leave(differences);
        running = false;
      }
    } else if (!running && step === 0) {
      leave([{ field: 'pc', expected: body.start, found: follower.hart.pc() }]);
    }
    before.set(values);
    if (pc === body.end) {
      finished += 1;
      program += 1;
      step = -1;
      if (!running && program < image.programs.length) follower = startAt(image, program, createHart);
      running = true;
    }
  }
  return { divergences, compared, executions, finished };
}

function startAt(image: Image, program: number, createHart: CreateHart): Follower {
  const hart = createHart(image.target.extensions);
  hart.loadImage(codeBase, image.bytes);
  hart.loadImage(controlPage, selectorBytes(program));
  return new Follower(hart);
}

function advanceTo(hart: SteppableHart, address: bigint): boolean {
  for (let step = 0; step < resetSteps; step += 1) {
    if (hart.pc() === address) return true;
    hart.step();
  }
  return false;
}
