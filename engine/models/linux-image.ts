/**
 * Linux as a guest's image: the kernel's header, and where kernel, initrd and
 * device tree go in RAM. As on QEMU's `virt`: the kernel 2 MiB above the start
 * of RAM, the device tree at the top with the initrd below it.
 */
import { type CommonDefinition, type GuestFiles, type ImageFile, ImageError } from './guest';
import { RAM_BASE } from './machine/memory-map';

const MEBIBYTE = 2 ** 20;
const PAGE = 4096;
/** Where an S-mode payload starts: kernels want 2 MiB alignment, and firmware gets what lies below. */
export const KERNEL_OFFSET = 2 * MEBIBYTE;
/** Room for the device tree and what firmware adds to it. */
export const DEVICE_TREE_ROOM = 2 * MEBIBYTE;

/** Bytes of the image, and their guest-physical address. */
export interface ImagePiece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface Placement {
  readonly deviceTree: number;
  readonly initrd: { readonly start: number; readonly end: number } | undefined;
}

/** What the placement depends on, of any definition with a kernel. */
export interface LinuxDefinition extends CommonDefinition {
  readonly kernel?: ImageFile;
  readonly initrd?: ImageFile;
}

const alignDown = (address: number, by: number): number => Math.floor(address / by) * by;
export const describeSize = (bytes: number): string => `${(bytes / MEBIBYTE).toFixed(1)} MiB`;

/** Header of a RISC-V Linux image. Linux, Documentation/arch/riscv/boot-image-header.rst. */
const HEADER = { size: 64, imageSize: 16, magic: 0x30, magic2: 0x38 };
const MAGIC = 0x5643534952n; // "RISCV\0\0\0"
const MAGIC2 = 0x05435352; // "RSC\x05"

/** Bytes that the kernel takes once it runs, bss included. @throws ImageError when it is no RISC-V kernel. */
export function kernelImageSize(name: string, kernel: Uint8Array): number {
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.length);
  const isImage =
    kernel.length >= HEADER.size &&
    view.getBigUint64(HEADER.magic, true) === MAGIC &&
    view.getUint32(HEADER.magic2, true) === MAGIC2;
  if (!isImage) {
    throw new ImageError(
      `${name} is no RISC-V Linux kernel: the image header's magic numbers are not there; ` +
        'give an uncompressed Image, e.g. the vmlinuz of a Debian riscv64 package',
    );
  }
  return Math.max(Number(view.getBigUint64(HEADER.imageSize, true)), kernel.length);
}

/** Decides where everything goes. @throws ImageError when it does not fit. */
export function placeImage(definition: LinuxDefinition, files: GuestFiles): Placement {
  const top = RAM_BASE + definition.memory;
  const deviceTree = alignDown(top - DEVICE_TREE_ROOM, DEVICE_TREE_ROOM);
  const { kernel, initrd } = files;
  const kernelEnd = kernel
    ? RAM_BASE + KERNEL_OFFSET + kernelImageSize(definition.kernel?.name ?? 'kernel', kernel)
    : RAM_BASE + KERNEL_OFFSET;
  if (kernelEnd > deviceTree) {
    throw new ImageError(
      `memory of ${describeSize(definition.memory)} is too little for ${definition.kernel?.name ?? 'the guest'}: ` +
        `at least ${describeSize(kernelEnd - RAM_BASE + 2 * DEVICE_TREE_ROOM)} are needed; give the guest more memory`,
    );
  }
  if (!initrd) return { deviceTree, initrd: undefined };
  const start = alignDown(deviceTree - initrd.length, PAGE);
  if (start < kernelEnd) {
    const needed = kernelEnd - RAM_BASE + initrd.length + 2 * DEVICE_TREE_ROOM;
    throw new ImageError(
      `${definition.initrd?.name ?? 'the initrd'} (${describeSize(initrd.length)}) does not fit beside the kernel ` +
        `in ${describeSize(definition.memory)} of memory; give the guest ${describeSize(needed)} or more, or a smaller initrd`,
    );
  }
  return { deviceTree, initrd: { start, end: start + initrd.length } };
}

/** @throws ImageError when the tree is larger than its place, less one page that firmware takes. */
export function checkDeviceTreeSize(deviceTree: Uint8Array): void {
  if (deviceTree.length > DEVICE_TREE_ROOM - PAGE) {
    throw new ImageError(
      `the device tree takes ${describeSize(deviceTree.length)}; shorten the kernel command line`,
    );
  }
}
