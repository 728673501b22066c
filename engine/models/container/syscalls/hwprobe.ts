/** riscv_hwprobe(2): what the hart has. Linux, Documentation/arch/riscv/hwprobe.rst. */
import { Errno } from '../errno';
import type { Kernel } from '../kernel/kernel';

/** RISCV_HWPROBE_KEY_IMA_EXT_0: the bit of each extension. F and D share the first. */
const extensionBits = {
  d: 0, c: 1, v: 2, zba: 3, zbb: 4, zbs: 5, zicboz: 6, zbc: 7, zbkb: 8, zbkc: 9, zkt: 16, zfh: 27, zfhmin: 28,
  zihintntl: 29, zvfh: 30, zvfhmin: 31, zfa: 32, zacas: 34, zicond: 35, zihintpause: 36, zimop: 42, zcb: 44,
  zcmop: 47, zawrs: 48, zicntr: 50, zihpm: 51, zicbom: 55,
} as const; // prettier-ignore

const BLOCK = 64n;

/** Values by key. */
const probes: Readonly<Record<number, (kernel: Kernel) => bigint>> = {
  0: () => 0n, // vendor, architecture, implementation
  1: () => 0n,
  2: () => 0n,
  3: () => 1n, // BASE_BEHAVIOR_IMA
  4: ({ extensions }) =>
    Object.entries(extensionBits).reduce(
      (bits, [name, bit]) => (extensions.includes(name) ? bits | (1n << BigInt(bit)) : bits),
      0n,
    ),
  5: () => 3n, // misaligned accesses are fast
  6: ({ extensions }) => (extensions.includes('zicboz') ? BLOCK : 0n),
  9: () => 3n, // the same, of scalars
};

/** Pairs of a key and its value; a key that is not known becomes -1. */
export function hwprobe(
  kernel: Kernel,
  pairs: number,
  count: number,
  _size: number,
  _cpus: number,
  how: number,
): number {
  if (how !== 0 || count > 1024) throw new Errno('EINVAL');
  for (let i = 0; i < count; i++) {
    const at = pairs + 16 * i;
    const value = probes[Number(kernel.memory.i64(at))]?.(kernel);
    if (value === undefined) kernel.memory.setU64(at, (1n << 64n) - 1n);
    kernel.memory.setU64(at + 8, value ?? 0n);
  }
  return 0;
}
