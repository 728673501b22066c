/** The engine's hart as the lock-step rig drives it: one instruction, or one trap, a step. */
import { Hart } from '../../engine/cpu/hart';
import * as at from '../../engine/cpu/layout';
import { chooseExtensions } from '../../engine/isa/extensions';
import { memoryMebibytes } from './layout';
import type { SteppableHart } from './lockstep';

const RAM_BASE = 0x8000_0000n;

/** Address translation as all references have it. */
const schemes = ['sv48', 'sv57'];

/** The windows of the PCI Express bus, with nothing in them: they read as ones and take what is written. */
const inPciWindow = (address: number): boolean =>
  (address >= 0x4000_0000 && address < 0x8000_0000) || (address >= 0x4_0000_0000 && address < 0x8_0000_0000);

/** Programs set mtimecmp to all ones, which is what it is. */
const inAclint = (address: number): boolean => address >= 0x200_0000 && address < 0x201_0000;

export class EngineHart implements SteppableHart {
  private readonly hart: Hart;

  constructor(extensions: readonly string[]) {
    this.hart = new Hart({
      extensions: chooseExtensions([...extensions, ...schemes]),
      ramSize: memoryMebibytes * 2 ** 20,
      bus: {
        read: (address, size) =>
          inAclint(address) ? 0 : inPciWindow(address) ? 2 ** (8 * Math.min(size, 4)) - 1 : undefined,
        write: (address) => inAclint(address) || inPciWindow(address),
      },
    });
    this.hart.pc = RAM_BASE;
  }

  loadImage(address: bigint, bytes: Uint8Array): void {
    this.hart.ram.set(bytes, Number(address - RAM_BASE));
  }
  step(): void {
    if (!this.hart.takeInterrupt()) this.hart.run(1);
  }
  pc(): bigint {
    return this.hart.pc;
  }
  privilege(): number {
    return this.hart.privilege;
  }
  x(index: number): bigint {
    return this.hart.x(index);
  }
  f(index: number): bigint {
    return this.hart.f(index);
  }
  v(index: number, half: 0 | 1): bigint {
    return this.hart.cell(at.V + 16 * index + 8 * half);
  }
  csr(number: number): bigint {
    return this.hart.csr(number);
  }
}
