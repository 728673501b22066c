/**
 * SiFive's test finisher ("sifive,test1"), which the device tree also offers
 * as a syscon for power-off and reset.
 */
import { record } from '../snapshot/codec';
import type { AccessSize } from './device';
import { DeclaredDevice, RegisterMap } from './registers';

export interface Halt {
  readonly how: 'power-off' | 'reset' | 'failure';
  /** Exit code of a failure, 0 to 65535; 0 otherwise. */
  readonly code: number;
}

export interface SysconOptions {
  readonly onHalt: (halt: Halt) => void;
}

/** Values of the finisher's register, low 16 bits. */
export const FINISHER = { failure: 0x3333, powerOff: 0x5555, reset: 0x7777 } as const;

const HALTS = new Map<number, Halt['how']>([
  [FINISHER.failure, 'failure'],
  [FINISHER.powerOff, 'power-off'],
  [FINISHER.reset, 'reset'],
]);

const layout = record('syscon', 1, {});

export class Syscon extends DeclaredDevice<object> {
  private static readonly registers = new RegisterMap<Syscon>(4, [
    { offset: 0, name: 'finisher', write: (d, value) => d.finish(value) },
  ]);

  constructor(private readonly options: SysconOptions) {
    super(layout, () => ({}));
  }

  read(offset: number, size: AccessSize): number {
    return Syscon.registers.read(this, offset, size);
  }
  /** 16-bit writes are in use too: their upper half, the code, counts as zero. */
  write(offset: number, size: AccessSize, value: number): void {
    if (size !== 1) Syscon.registers.write(this, offset, 4, value);
  }

  private finish(value: number): void {
    const how = HALTS.get(value & 0xffff);
    if (how !== undefined) this.options.onHalt({ how, code: how === 'failure' ? value >>> 16 : 0 });
  }
}
