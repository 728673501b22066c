import fc from 'fast-check';
import { Pace } from '../../../engine/models/machine/pace';

const TICK = 100n;
const BURST = 1_000_000;

/** Runs bursts at the given speeds (instructions a tick) and returns how far guest time was off the world's at each burst's end, in ticks. */
function drift(speeds: readonly number[]): number[] {
  const pace = new Pace(TICK, BURST);
  let world = 0;
  let guest = 0;
  return speeds.map((speed) => {
    guest = Math.max(guest, world); // as the machine does: set right, never backwards
    const stepsPerTick = Number(
      pace.begin(BigInt(Math.round(world)) * TICK, BigInt(Math.round(guest - world))),
    );
    world += BURST / speed;
    guest += Math.floor(BURST / stepsPerTick);
    pace.observe(BURST, BigInt(Math.round(world)) * TICK);
    return guest - world;
  });
}

test('guest time goes at the speed of the worker, whatever that is', () => {
  fc.assert(
    fc.property(fc.double({ min: 10, max: 200, noNaN: true }), (speed) => {
      const settled = drift(Array.from({ length: 60 }, () => speed)).slice(30);
      const burst = BURST / speed;
      for (const off of settled) expect(Math.abs(off)).toBeLessThan(0.3 * burst + 1);
    }),
  );
});

test('guest time does not run away when the worker is slowed down', () => {
  const speeds = [...Array.from({ length: 40 }, () => 60), ...Array.from({ length: 40 }, () => 15)];
  const off = drift(speeds);
  expect(Math.max(...off.slice(60))).toBeLessThan(BURST / 15);
});
