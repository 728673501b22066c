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
  type Placement,
  checkDeviceTreeSize,
  describeSize,
} from '../linux-image';
import { isElf, parseElf } from './elf';
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

/** Fills RAM and points all harts at the firmware, which chooses among them. @throws ImageError when the firmware does not fit. */
export function boot(harts: Harts, ram: Ram, options: BootOptions): void {
  const { definition, files, placement, deviceTree } = options;
  const { firmware, kernel, initrd } = files;
  if (!firmware) {
    throw new ImageError(
      'a virtual machine starts in M-mode and needs firmware: give OpenSBI (fw_dynamic.bin of the package opensbi), ' +
        'or a firmware image of your own',
    );
  }
  checkDeviceTreeSize(deviceTree);
  const entry = loadFirmware(ram, definition.firmware?.name ?? 'firmware', firmware, regions(options));
  if (kernel) ram.place(RAM_BASE + KERNEL_OFFSET, kernel);
  if (initrd && placement.initrd) ram.place(placement.initrd.start, initrd);
  ram.place(placement.deviceTree, deviceTree);
  const info = placement.deviceTree + DEVICE_TREE_ROOM - PAGE;
  ram.place(info, dynamicInfo());
  for (let hart = 0; hart < harts.count; hart++) {
    harts.setCell(hart, cell.PC, BigInt(entry));
    harts.setCell(hart, cell.X + 8 * A0, BigInt(hart));
    harts.setCell(hart, cell.X + 8 * A1, BigInt(placement.deviceTree));
    harts.setCell(hart, cell.X + 8 * A2, BigInt(info));
  }
}
