/**
 * Puts an image into RAM and the harts at its start, as QEMU's `virt` does:
 * firmware at the start of RAM, the kernel 2 MiB above, the device tree at the
 * top with the initrd below it, a0 the hart, a1 the tree, a2 OpenSBI's
 * `fw_dynamic_info`.
 */
import type { Harts } from '../../cpu/harts';
import * as cell from '../../cpu/layout';
import type { Ram } from '../../memory/ram';
import { type MachineDefinition, type GuestFiles, ImageError } from '../guest';
import {
  DEVICE_TREE_ROOM,
  KERNEL_OFFSET,
  type ImagePiece,
  type Placement,
  checkDeviceTreeSize,
  describeSize,
} from '../linux-image';
import { type Executable, isElf, parseElf } from './elf';
import { RAM_BASE } from './memory-map';

const PAGE = 4096;

const A0 = 10;
const A1 = 11;
const A2 = 12;

interface Region {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What the firmware may not lie over: all that is put into RAM besides it. */
function regions({ definition, files, placement }: Image): Region[] {
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

/** Firmware in RAM: an ELF file by its physical addresses, else a raw binary at the start of RAM. */
function placeFirmware(ram: Ram, name: string, firmware: Uint8Array, taken: readonly Region[]): Executable {
  const executable = isElf(firmware)
    ? parseElf(name, firmware)
    : { entry: RAM_BASE, segments: [{ address: RAM_BASE, bytes: firmware, size: firmware.length }] };
  for (const { address, size } of executable.segments) {
    if (!ram.contains(address, size)) {
      throw new ImageError(
        `${name} wants ${describeSize(size)} at 0x${address.toString(16)}, which is not in RAM ` +
          `(from 0x${RAM_BASE.toString(16)}); link it there, or give the guest more memory`,
      );
    }
    const under = taken.find(({ start, end }) => address < end && start < address + size);
    if (under) {
      throw new ImageError(
        `${name} wants ${describeSize(size)} at 0x${address.toString(16)}, where ${under.name} lies ` +
          `(from 0x${under.start.toString(16)}); link it elsewhere, make it smaller, or give the guest more memory`,
      );
    }
  }
  return executable;
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

export interface Image {
  readonly definition: MachineDefinition;
  readonly files: GuestFiles;
  readonly placement: Placement;
}

/** What the files put into RAM, and where the hart begins. @throws ImageError when the firmware does not fit. */
export function machineImage(
  ram: Ram,
  image: Image,
): { readonly entry: number; readonly pieces: ImagePiece[] } {
  const { definition, files, placement } = image;
  const { firmware, kernel, initrd } = files;
  if (!firmware) {
    throw new ImageError(
      'a virtual machine starts in M-mode and needs firmware: give OpenSBI (fw_dynamic.bin of the package opensbi), ' +
        'or a firmware image of your own',
    );
  }
  const name = definition.firmware?.name ?? 'firmware';
  const { entry, segments } = placeFirmware(ram, name, firmware, regions(image));
  const pieces: ImagePiece[] = [...segments];
  if (kernel) pieces.push({ address: RAM_BASE + KERNEL_OFFSET, bytes: kernel });
  if (initrd && placement.initrd) pieces.push({ address: placement.initrd.start, bytes: initrd });
  return { entry, pieces };
}

/** Fills RAM and points all harts at the firmware, which chooses among them. @throws ImageError when something does not fit. */
export function boot(harts: Harts, ram: Ram, image: Image, deviceTree: Uint8Array): void {
  const { placement } = image;
  const { entry, pieces } = machineImage(ram, image);
  checkDeviceTreeSize(deviceTree);
  for (const { address, bytes } of pieces) ram.place(address, bytes);
  // No part of the image: it has a random seed in it, and another guest from the same files has another one.
  ram.write(placement.deviceTree, deviceTree);
  const info = placement.deviceTree + DEVICE_TREE_ROOM - PAGE;
  ram.write(info, dynamicInfo());
  for (let hart = 0; hart < harts.count; hart++) {
    harts.setCell(hart, cell.PC, BigInt(entry));
    harts.setCell(hart, cell.X + 8 * A0, BigInt(hart));
    harts.setCell(hart, cell.X + 8 * A1, BigInt(placement.deviceTree));
    harts.setCell(hart, cell.X + 8 * A2, BigInt(info));
  }
}
