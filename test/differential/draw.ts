import { freeRegisters } from './layout';
import type { Profile } from './program';
import type { Random } from './random';
import { integerValue } from './values';

/** Physical addresses where the `virt` machine has nothing: every access faults. All aligned, see `legal-differences.ts`. */
const nowhere: readonly bigint[] = [
  0x40n, 0x200000n, 0x18000000n, 0x84000000n, 0x84000ff8n, 0x10000000000n, 0x7ffffffff000n,
]; // prettier-ignore

const compressedRegisters = [8, 9, 10, 11, 12, 13, 14, 15] as const;

/** Random operands, written as assembly. */
export class Draw {
  constructor(
    readonly random: Random,
    readonly profile: Profile,
  ) {}

  /** A destination: any free register, now and then x0. */
  rd(): string {
    return this.random.chance(0.03) ? 'x0' : this.target();
  }
  /** A free register that is not x0. */
  target(): string {
    return `x${this.random.pick(freeRegisters)}`;
  }
  rs(): string {
    return this.random.chance(0.85) ? `x${this.random.pick(freeRegisters)}` : `x${this.random.below(32)}`;
  }
  /** One of the registers that three-bit fields name. */
  rc(): string {
    return `x${this.random.pick(compressedRegisters)}`;
  }
  fr(): string {
    return `f${this.random.below(32)}`;
  }
  frc(): string {
    return `f${this.random.pick(compressedRegisters)}`;
  }
  immediate12(): number {
    return this.random.chance(0.4)
      ? this.random.pick([0, 1, -1, 2, -2, 31, 63, 64, 2047, -2048, 1024, -1024])
      : this.random.between(-2048, 2047);
  }
  immediate20(): number {
    return this.random.chance(0.3)
      ? this.random.pick([0, 1, 0x7ffff, 0x80000, 0xfffff])
      : this.random.below(0x100000);
  }
  shift(bits: 32 | 64): number {
    return this.random.chance(0.3) ? this.random.pick([0, 1, bits - 1, bits / 2]) : this.random.below(bits);
  }
  /** Static modes and the dynamic one; reserved encodings come from the illegal stream. */
  roundingMode(): string {
    return this.random.pick(['rne', 'rtz', 'rdn', 'rup', 'rmm', 'dyn', 'dyn', 'dyn']);
  }
  load64(register: string): string {
    return `li ${register}, ${BigInt.asIntN(64, integerValue(this.random))}`;
  }
  nowhere(): bigint {
    return this.random.pick(nowhere);
  }

  /** Offset from s10 for an access of `size` bytes: mostly aligned, else misaligned or across the page boundary at s10. */
  dataOffset(size: number, misaligned = 0.25): number {
    if (size > 1 && this.random.chance(misaligned)) {
      return this.random.chance(0.5)
        ? -this.random.between(1, size - 1)
        : this.random.between(-2048, 2047 - size);
    }
    return this.random.between(-2048 / size, (2048 - size) / size) * size;
  }

  /** An address operand for an access of `size` bytes, with the instructions that set it up. */
  memory(size: number, misaligned = 0.25): { setup: string[]; operand: string } {
    const base = this.target();
    if (this.random.chance(0.02)) {
      return { setup: [`li ${base}, ${this.nowhere()}`], operand: `0(${base})` };
    }
    const offset = this.dataOffset(size, misaligned);
    if (this.random.chance(0.6)) return { setup: [], operand: `${offset}(s10)` };
    const rest = this.random.between(-2048 - Math.min(0, offset), 2047 - Math.max(0, offset));
    const inner = Math.max(-2048, Math.min(2047, offset - rest));
    return { setup: [`addi ${base}, s10, ${offset - inner}`], operand: `${inner}(${base})` };
  }

  /** A base register that holds s10 plus an aligned (or not) offset, for operands without displacement. */
  address(size: number, misaligned = 0): { setup: string[]; base: string } {
    const base = this.target();
    return { setup: [`addi ${base}, s10, ${this.dataOffset(size, misaligned)}`], base };
  }
}
