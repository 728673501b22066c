/** A suspended guest goes on when it is resumed, and the breaker counts anew. */
import { MemoryTable } from '../../../lambdas/store/memory';
import { resume } from '../../../lambdas/worker/resume';
import { costOf, costText } from '../../../cli/deployed/cost';
import { GUEST, World } from '../world';

test('suspended, resumed, suspended again, and at its end', async () => {
  const definition = { breaker: { maxSlicesPerDay: 3 } };
  const world = new World({
    table: new MemoryTable(),
    program: { length: 200 },
    sliceInstructions: 50,
    definition,
  });
  const queue = { send: async (token: Parameters<World['send']>[0]) => world.send(token) };
  world.send({ guest: GUEST, generation: 0 });
  expect(await world.settle()).toMatchObject({ status: 'suspended', generation: 3 });
  expect(world.logs.at(-1)).toMatchObject({ message: 'stopped', suspended: 1 });

  await resume(world.store, queue, GUEST, world.time);
  // Again, as by somebody who saw no answer: one token too many, and no slice too many.
  await resume(world.store, queue, GUEST, world.time);
  expect(await world.settle()).toMatchObject({ status: 'halted', generation: 5, instructions: 200 });
  await expect(resume(world.store, queue, GUEST, world.time)).rejects.toThrow(/is halted, not suspended/);
  await expect(resume(world.store, queue, 'nobody', world.time)).rejects.toThrow(
    /there is no guest "nobody"/,
  );

  const metrics = await world.store.readMetrics(GUEST);
  const cost = costOf(GUEST, metrics, (metrics[0]?.startedAt ?? 0) + 2 * 3_600_000);
  expect(cost).toMatchObject({ slices: 5, instructions: 200, hours: 2 });
  expect(cost.dollars).toBeCloseTo(
    metrics.reduce((sum, { dollars }) => sum + dollars, 0),
    12,
  );
  expect(cost.dollars).toBeGreaterThan(0);
  expect(cost.dollarsAMonth).toBeCloseTo(365 * cost.dollars, 9);
  expect(costText(cost)).toContain('5 slices in 2.0 hours, 200 instructions');
});
