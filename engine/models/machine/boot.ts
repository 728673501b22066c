/**
 * Puts an image into RAM and the hart at its start, as QEMU's `virt` does:
 * firmware at the start of RAM, the kernel 2 MiB above, the device tree at the
 * top with the initrd below it, a0 the hart, a1 the tree, a2 OpenSBI's
 * `fw_dynamic_info`.
 */
import type { Hart } from '../../cpu/hart';
import type { Ram } from '../../memory/ram';
import { type MachineDefinition, type GuestFiles, ImageError } from '../guest';
import { isElf, parseElf } from './elf';
import { RAM_BASE } from './memory-map';

const MEBIBYTE = 2 ** 20;
const PAGE = 4096;
/** Where an S-mode payload starts: kernels want 2 MiB alignment, and firmware gets what lies below. */
export const KERNEL_OFFSET = 2 * MEBIBYTE;
/** Room for the device tree and what OpenSBI adds to it. */
const DEVICE_TREE_ROOM = 2 * MEBIBYTE;

const A0 = 10;
const A1 = 11;
const A2 = 12;

export interface Placement {
  readonly deviceTree: number;
  readonly initrd: { readonly start: number; readonly end: number } | undefined;
}

interface Region {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const alignDown = (address: number, by: number): number => Math.floor(address / by) * by;
const describe = (bytes: number): string => `${(bytes / MEBIBYTE).toFixed(1)} MiB`;

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
export function placeImage(definition: MachineDefinition, files: GuestFiles): Placement {
  const top = RAM_BASE + definition.memory;
  const deviceTree = alignDown(top - DEVICE_TREE_ROOM, DEVICE_TREE_ROOM);
  const { kernel, initrd } = files;
  const kernelEnd = kernel
    ? RAM_BASE + KERNEL_OFFSET + kernelImageSize(definition.kernel?.name ?? 'kernel', kernel)
    : RAM_BASE + KERNEL_OFFSET;
  if (kernelEnd > deviceTree) {
    throw new ImageError(
      `memory of ${describe(definition.memory)} is too little for ${definition.kernel?.name ?? 'the guest'}: ` +
        `at least ${describe(kernelEnd - RAM_BASE + 2 * DEVICE_TREE_ROOM)} are needed; give the guest more memory`,
    );
  }
  if (!initrd) return { deviceTree, initrd: undefined };
  const start = alignDown(deviceTree - initrd.length, PAGE);
  if (start < kernelEnd) {
    const needed = kernelEnd - RAM_BASE + initrd.length + 2 * DEVICE_TREE_ROOM;
    throw new ImageError(
      `${definition.initrd?.name ?? 'the initrd'} (${describe(initrd.length)}) does not fit beside the kernel ` +
        `in ${describe(definition.memory)} of memory; give the guest ${describe(needed)} or more, or a smaller initrd`,
    );
  }
  return { deviceTree, initrd: { start, end: start + initrd.length } };
}

/** What the firmware may not lie over: all that is put into RAM besides it. */
function regions({ definition, files, placement }: BootOptions): Region[] {
  const { kernel, initrd } = files;
  const at = (name: string, start: number, bytes: number): Region => ({ name, start, end: start + bytes });
  const found = [at('the device tree', placement.deviceTree, DEVICE_TREE_ROOM)];
  if (kernel)
    found.push(at(definition.kernel?.name ?? 'the kernel', RAM_BASE + KERNEL_OFFSET, kernel.length));
  if (initrd && placement.initrd) {
    found.push(at(definition.initrd?.name ?? 'the initrd', placement.initrd.start, initrd.length));
  }
  return found;
}

/** Loads firmware: an ELF file by its physical addresses, else a raw binary at the start of RAM. Returns the entry. */
function loadFirmware(ram: Ram, name: string, firmware: Uint8Array, taken: readonly Region[]): number {
  const executable = isElf(firmware)
    ? parseElf(name, firmware)
    : { entry: RAM_BASE, segments: [{ address: RAM_BASE, bytes: firmware, size: firmware.length }] };
  for (const { address, bytes, size } of executable.segments) {
    if (!ram.contains(address, size)) {
      throw new ImageError(
        `${name} wants ${describe(size)} at 0x${address.toString(16)}, which is not in RAM ` +
          `(from 0x${RAM_BASE.toString(16)}); link it there, or give the guest more memory`,
      );
    }
    const under = taken.find(({ start, end }) => address < end && start < address + size);
    if (under) {
      throw new ImageError(
        `${name} wants ${describe(size)} at 0x${address.toString(16)}, where ${under.name} lies ` +
          `(from 0x${under.start.toString(16)}); link it elsewhere, make it smaller, or give the guest more memory`,
      );
    }
    ram.place(address, bytes);
  }
  return executable.entry;
}

/** `struct fw_dynamic_info` of OpenSBI, docs/firmware/fw_dynamic.md: go on in S-mode at the kernel. */
function dynamicInfo(): Uint8Array {
  const view = new DataView(new ArrayBuffer(48));
  const supervisor = 1n;
  [0x4942534fn, 2n, BigInt(RAM_BASE + KERNEL_OFFSET), supervisor, 0n, 0n].forEach((value, i) =>
    view.setBigUint64(8 * i, value, true),
  );
  return new Uint8Array(view.buffer);
}

export interface BootOptions {
  readonly definition: MachineDefinition;
  readonly files: GuestFiles;
  readonly placement: Placement;
  readonly deviceTree: Uint8Array;
}

/** Fills RAM and points the hart at the firmware. @throws ImageError when the firmware does not fit. */
export function boot(hart: Hart, ram: Ram, options: BootOptions): void {
  const { definition, files, placement, deviceTree } = options;
  const { firmware, kernel, initrd } = files;
  if (!firmware) {
    throw new ImageError(
      'a virtual machine starts in M-mode and needs firmware: give OpenSBI (fw_dynamic.bin of the package opensbi), ' +
        'or a firmware image of your own',
    );
  }
  if (deviceTree.length > DEVICE_TREE_ROOM - PAGE) {
    throw new ImageError(
      `the device tree takes ${describe(deviceTree.length)}; shorten the kernel command line`,
    );
  }
  const entry = loadFirmware(ram, definition.firmware?.name ?? 'firmware', firmware, regions(options));
  if (kernel) ram.place(RAM_BASE + KERNEL_OFFSET, kernel);
  if (initrd && placement.initrd) ram.place(placement.initrd.start, initrd);
  ram.place(placement.deviceTree, deviceTree);
  const info = placement.deviceTree + DEVICE_TREE_ROOM - PAGE;
  ram.place(info, dynamicInfo());
  hart.pc = BigInt(entry);
  hart.setX(A0, 0n);
  hart.setX(A1, BigInt(placement.deviceTree));
  hart.setX(A2, BigInt(info));
}
