/** Debian's kernel as a guest, and a checkpoint in memory: what the store does, without a store. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineOptions } from '../../engine/cpu/hart';
import { guestFactory } from '../../engine/models/create';
import type {
  Guest,
  GuestFiles,
  HostServices,
  ImageFile,
  MachineDefinition,
  ParavirtDefinition,
} from '../../engine/models/guest';
import { ParavirtMachine } from '../../engine/models/paravirt/machine';
import type { Rule } from '../../engine/models/paravirt/porter/rules';
import { type Requirement, images, imagesFolder } from '../requirement';

export const debianImages: Requirement = images('vmlinuz', 'initrd.gz', 'fw_dynamic.bin');

/** Deterministic guests ask nothing of their host. */
const noHost: HostServices = {
  now: () => {
    throw new Error('a deterministic guest asked for the time');
  },
  fillRandom: () => {
    throw new Error('a deterministic guest asked for randomness');
  },
};

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(imagesFolder, name)));

function describeFile(name: string, bytes: Uint8Array): ImageFile {
  return { key: name, name, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

export class DebianImage {
  /** @param engine what executes the guests' instructions; default: the interpreter */
  constructor(private readonly engine?: EngineOptions) {}

  private get host(): HostServices {
    return { ...noHost, ...(this.engine && { engine: this.engine }) };
  }

  readonly files: Required<Pick<GuestFiles, 'firmware' | 'kernel' | 'initrd'>> = {
    firmware: read('fw_dynamic.bin'),
    kernel: read('vmlinuz'),
    initrd: read('initrd.gz'),
  };

  create(options: Partial<MachineDefinition> = {}, files: Pick<GuestFiles, 'initrd' | 'disks'> = {}): Guest {
    const { firmware, kernel, initrd } = { ...this.files, ...files };
    const definition: MachineDefinition = {
      version: 1,
      model: 'machine',
      memory: 256 * 2 ** 20,
      clock: 'deterministic',
      commandLine: 'console=ttyS0 quiet',
      firmware: describeFile('fw_dynamic.bin', firmware),
      kernel: describeFile('vmlinuz', kernel),
      initrd: describeFile('initrd.gz', initrd),
      ...options,
    };
    return guestFactory(this.host)(definition, { ...this.files, ...files });
  }

  /** The same kernel and initrd in the paravirtual machine, ported by the `chosen` rules; default: all. */
  createParavirt(
    options: Partial<ParavirtDefinition> = {},
    files: Pick<GuestFiles, 'kernel' | 'initrd' | 'disks'> = {},
    chosen?: readonly Rule[],
  ): Guest {
    const { kernel, initrd } = { ...this.files, ...files };
    const definition: ParavirtDefinition = {
      version: 1,
      model: 'paravirt',
      memory: 256 * 2 ** 20,
      clock: 'deterministic',
      commandLine: 'console=hvc0 quiet',
      kernel: describeFile('vmlinuz', kernel),
      initrd: describeFile('initrd.gz', initrd),
      ...options,
    };
    const all = { kernel, initrd, ...(files.disks && { disks: files.disks }) };
    return new ParavirtMachine(definition, all, this.host, chosen);
  }
}

/** Runs until `instructions` have been executed since power-on; idle time is skipped. Returns the console's output. */
export function runTo(guest: Guest, instructions: number): string {
  let output = '';
  while (guest.instructions < instructions) {
    const exit = guest.run({ instructions: instructions - guest.instructions });
    output += Buffer.from(guest.takeOutput()).toString('latin1');
    if (exit.reason === 'halted' || exit.reason === 'fault') break;
    if (exit.reason === 'idle') {
      if (exit.wakeAfter === undefined) break;
      guest.skipIdle(exit.wakeAfter);
    }
  }
  return output;
}

/** Runs until the console shows `text`, which is looked for every `step` instructions. @throws Error with what it showed instead. */
export function runUntil(guest: Guest, text: string, limit = 5e9, step = 5e6): string {
  let output = '';
  const end = guest.instructions + limit;
  while (!output.includes(text)) {
    const before = output.length;
    const exit = guest.run({ instructions: step });
    output += Buffer.from(guest.takeOutput()).toString('latin1');
    const stuck = exit.reason === 'idle' && exit.wakeAfter === undefined && output.length === before;
    if (exit.reason === 'idle' && exit.wakeAfter !== undefined) guest.skipIdle(exit.wakeAfter);
    if (output.includes(text)) break;
    if (stuck || exit.reason === 'halted' || exit.reason === 'fault' || guest.instructions > end) {
      throw new Error(`no "${text}" on the console (${exit.reason}):\n${output.slice(-2000)}`);
    }
  }
  return output;
}

/** Pages and state of a guest, gathered slice by slice. */
export class MemoryCheckpoint {
  private readonly pages = new Map<string, Map<number, Uint8Array>>();
  private state: Uint8Array | undefined;

  take(guest: Guest): void {
    for (const space of guest.spaces) {
      const pages = this.pages.get(space.name) ?? new Map<number, Uint8Array>();
      this.pages.set(space.name, pages);
      for (const page of space.dirty()) pages.set(page, space.read(page).slice());
      space.clean();
    }
    this.state = guest.save();
  }

  apply(guest: Guest): void {
    if (!this.state) return;
    for (const space of guest.spaces) {
      for (const [page, bytes] of this.pages.get(space.name) ?? []) space.load(page, bytes);
    }
    guest.restore(this.state);
  }
}

/** One hash of all that a guest is. */
export function fingerprint(guest: Guest): string {
  const hash = createHash('sha256').update(guest.save());
  for (const space of guest.spaces) {
    if (space.name !== 'ram') continue;
    for (let page = 0; page < space.pages; page++) hash.update(space.read(page));
  }
  return hash.digest('hex');
}

/** Runs to `end` instructions in so many slices, each in a fresh guest. Returns the console's output and what the guest is then. */
export function runInSlices(
  create: () => Guest,
  end: number,
  slices: number,
): { output: string; final: string } {
  const checkpoint = new MemoryCheckpoint();
  let output = '';
  let final = '';
  for (let slice = 1; slice <= slices; slice++) {
    const guest = create();
    checkpoint.apply(guest);
    // Cuts at numbers that divide nothing, so that they fall anywhere.
    output += runTo(guest, slice === slices ? end : Math.floor((end * slice) / slices) + 7 * slice);
    checkpoint.take(guest);
    if (slice === slices) final = fingerprint(guest);
  }
  return { output, final };
}
