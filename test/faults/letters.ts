/** A guest of some kilobytes that lives for four slices: for tests of which the guest is not the point. */
import type { MachineDefinition } from '../../engine/models/guest';
import { addi, assemble, branch, li, reg, store as storeTo } from '../guests/assembly';
import { describeFile } from '../guests/raw-guest';

/** Prints 30 letters, 2,000 instructions apart, and powers off through the test finisher. */
function program(): Uint8Array {
  const { t0, t1, t2, a0, zero } = reg;
  const work = [...li(t2, 1000), addi(t2, t2, -1), branch(1, t2, zero, -4)];
  const step = [...work, storeTo(0, a0, t0), addi(a0, a0, 1), addi(t1, t1, -1)];
  return assemble([
    ...li(t0, 0x1000_0000),
    ...li(t1, 30),
    ...li(a0, 97),
    ...step,
    branch(1, t1, zero, -4 * step.length),
    ...li(t0, 0x10_0000),
    ...li(t1, 0x5555),
    storeTo(2, t1, t0),
    branch(0, zero, zero, 0),
  ]);
}

export const lettersFirmware = program();
export const letters: MachineDefinition = {
  version: 1,
  model: 'machine',
  memory: 4 * 2 ** 20,
  clock: 'deterministic',
  sliceInstructions: 20_000,
  firmware: describeFile('letters.bin', lettersFirmware),
};
