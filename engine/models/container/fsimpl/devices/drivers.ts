/** Devices that need nothing but themselves: null(4), full(4), random(4). */
import type { RandomSource } from '../../../../devices/device';
import { Errno } from '../../errno';
import { BaseFile } from '../../vfs/base-file';
import { makeDevice } from '../../vfs/constants';
import type { Location } from '../../vfs/location';
import type { Openers } from '../../vfs/openers';

/** How a device that has no positions reads and writes. */
interface Behaviour {
  /** Fills the buffer. @returns bytes read */
  read(into: Uint8Array): number;
  /** @returns bytes taken */
  write(from: Uint8Array): number;
}

class MemoryDeviceFile extends BaseFile {
  constructor(
    location: Location,
    flags: number,
    private readonly behaviour: Behaviour,
  ) {
    super(location, flags);
  }
  override read(into: Uint8Array): number {
    this.checkReadable();
    return this.behaviour.read(into);
  }
  override write(from: Uint8Array): number {
    this.checkWritable();
    return this.behaviour.write(from);
  }
  override pread(into: Uint8Array, _offset: number): number {
    return this.read(into);
  }
  override pwrite(from: Uint8Array, _offset: number): number {
    return this.write(from);
  }
  override seek(_offset: number, _whence: number): number {
    return 0;
  }
}

const zeros = (into: Uint8Array): number => into.fill(0).length;
const swallow = (from: Uint8Array): number => from.length;
const refuse = (): number => {
  throw new Errno('ENOSPC');
};

/** Major number 1: mem devices, Linux' admin-guide/devices.txt. */
const behaviours = (random: RandomSource): Readonly<Record<number, Behaviour>> => {
  const drawn: Behaviour = {
    read: (into) => {
      random.fill(into);
      return into.length;
    },
    write: swallow, // more entropy changes nothing that could be told apart
  };
  return {
    3: { read: () => 0, write: swallow }, // null
    5: { read: zeros, write: swallow }, // zero
    7: { read: zeros, write: refuse }, // full
    8: drawn, // random
    9: drawn, // urandom
  };
};

export function addMemoryDevices(openers: Openers, random: RandomSource): void {
  for (const [minor, behaviour] of Object.entries(behaviours(random))) {
    openers.character.set(
      makeDevice(1, Number(minor)),
      (location, flags) => new MemoryDeviceFile(location, flags, behaviour),
    );
  }
}
