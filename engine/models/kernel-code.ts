/** Names of a kernel's code by physical address: wherever it is mapped, it lies where it was put. */
import type { Symbols } from '../cpu/inspection';
import { ImageError } from './image-error';
import { KERNEL_OFFSET } from './linux-image';
import { RAM_BASE } from './machine/memory-map';
import { KernelSymbols } from './paravirt/porter/kallsyms';

/** Undefined for what has no symbol table: it is no Linux kernel, or built without one. */
export function kernelCode(kernel: Uint8Array): Symbols | undefined {
  const symbols = tableOf(kernel);
  if (!symbols) return undefined;
  const start = RAM_BASE + KERNEL_OFFSET;
  return (physical) => {
    const offset = physical - start;
    // Behind the file are data, and what else the kernel has put there.
    if (offset < 0 || offset >= kernel.length) return undefined;
    const symbol = symbols.codeAt(offset);
    return symbol && `${symbol.name}+0x${(offset - symbol.offset).toString(16)}`;
  };
}

function tableOf(kernel: Uint8Array): KernelSymbols | undefined {
  try {
    return KernelSymbols.read('kernel', kernel);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
