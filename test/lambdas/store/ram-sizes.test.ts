/** The smallest and the largest RAM, through a checkpoint and back: a guest that writes all over it, and then looks. */
import { guestFactory } from '../../../engine/models/create';
import type { MachineDefinition } from '../../../engine/models/guest';
import { emptyCheckpoint } from '../../../lambdas/store/checkpoint';
import { flush } from '../../../lambdas/store/flush';
import { MemoryTable } from '../../../lambdas/store/memory';
import { openCheckpoint } from '../../../lambdas/store/opened-checkpoint';
import { PageSource } from '../../../lambdas/store/page-source';
import { TableStore } from '../../../lambdas/store/table-store';
import { addi, assemble, branch, li, load, reg, store as storeTo, xor } from '../../guests/assembly';
import { describeFile, noHost } from '../../guests/raw-guest';

const RAM_BASE = 0x8000_0000;
/** Places of the writes: the size in so many steps, and the last eight bytes. */
const STEPS = 50;

function program(memory: number): Uint8Array {
  const { t0, t1, t2, t6, a0, a1, zero } = reg;
  const end = RAM_BASE + memory;
  const step = Math.floor((memory - 2 ** 21) / STEPS / 8) * 8;
  /** Visits each place from the end down, with the address in t0. */
  const visit = (work: readonly number[]): number[] => {
    // add t0, t0, t1
    const next = [...work, 0x006282b3, addi(t2, t2, -1)];
    return [
      ...li(t0, BigInt(end) - 8n),
      ...li(t1, BigInt(-step)),
      ...li(t2, STEPS),
      ...next,
      branch(1, t2, zero, -4 * next.length),
    ];
  };
  return assemble([
    ...visit([storeTo(3, t0, t0)]),
    ...li(t2, 2000),
    addi(t2, t2, -1),
    branch(1, t2, zero, -4),
    ...li(a1, 0),
    // a1 |= word ^ address
    ...visit([load(3, a0, t0), xor(a0, a0, t0), 0x00a5e5b3]),
    ...li(t0, 0x10_0000),
    ...li(t6, 0x5555),
    branch(0, a1, zero, 8),
    addi(t6, zero, 0x333),
    storeTo(2, t6, t0),
    branch(0, zero, zero, 0),
  ]);
}

test.each([64, 4092])(
  '%s MiB',
  async (mebibytes) => {
    const memory = mebibytes * 2 ** 20;
    const firmware = program(memory);
    const definition: MachineDefinition = {
      version: 1,
      model: 'machine',
      memory,
      clock: 'deterministic',
      firmware: describeFile('ends.bin', firmware),
    };
    const create = guestFactory(noHost);
    const first = create(definition, { firmware });
    expect(first.run({ instructions: 2000 })).toEqual({ reason: 'budget' });
    const store = new TableStore(new MemoryTable());
    const attempt = { generation: 1, fencing: 1 };
    const { stats } = await flush(store, emptyCheckpoint('g'), attempt, {
      spaces: first.spaces,
      state: first.save(),
    });
    expect(stats.dirty).toBeGreaterThanOrEqual(STEPS);
    expect(stats.dirty).toBeLessThan(2 * STEPS);

    const opened = await openCheckpoint(store, 'g', attempt);
    const guest = create(definition, undefined);
    const source = new PageSource({
      ...opened,
      spaces: guest.spaces,
      provideFiles: async () => guest.provideFiles?.({ firmware }),
    });
    source.omitAll();
    await source.prefetch();
    guest.restore(opened.state!);
    for (const space of guest.spaces) space.clean();
    for (;;) {
      const exit = guest.run({ instructions: 1_000_000 });
      if (exit.reason === 'page wanted') await source.bring(exit.wanted);
      else {
        expect(exit).toMatchObject({ reason: 'halted', how: 'power-off' });
        break;
      }
    }
  },
  60_000,
);
