import { FlushRate } from '../../../lambdas/worker/flush-rate';

describe('the length of a slice', () => {
  test('is what was asked for while checkpoints are cheap', () => {
    const rate = new FlushRate();
    for (let i = 0; i < 9; i += 1) rate.overhead(500);
    expect(rate.stretched(10_000)).toBe(10_000);
  });

  test('grows with what a checkpoint costs, up to twice what was asked for, and comes back', () => {
    const rate = new FlushRate();
    for (let i = 0; i < 20; i += 1) rate.overhead(1500);
    const stretched = rate.stretched(10_000);
    // The checkpoint is at most a tenth of the slice.
    expect(1500 / stretched).toBeCloseTo(0.1, 3);
    for (let i = 0; i < 20; i += 1) rate.overhead(9000);
    expect(rate.stretched(10_000)).toBe(20_000);
    for (let i = 0; i < 20; i += 1) rate.overhead(10);
    expect(rate.stretched(10_000)).toBe(10_000);
  });

  test('leaves twice what the last flush took', () => {
    const rate = new FlushRate();
    rate.measured(16_384, 16_000);
    // 64 MiB in 16 s, a new table's rate: the next flush may take twice as long.
    expect((16_384 * 4096) / rate.bytesPerMs).toBeCloseTo(32_000, -1);
  });
});
