import { indexOf } from './architectural-state';
import { compareImage, runCampaign, seedsFrom } from './campaign';
import { buildImage } from './image';
import { minimise } from './minimise';
import { generate, plainProfile, type Stream } from './program';
import { QemuTrace } from './qemu';
import { codeBase, memoryMebibytes } from './layout';
import { references } from './references';
import { RecordedHart, type Flaw } from './recorded-hart';
import { streams } from './streams';
import { m, rv64i } from './streams/integer';
import { formatTrace, traceToFirstDifference } from './trace';
import { standard, withNewer } from './target';
import { describeWith } from '../requirement';

/** MULHU whose result has its lowest bit wrong. */
const brokenMultiplier: Flaw = (instruction, state) => {
  const rd = (instruction >>> 7) & 31;
  if ((instruction & 0xfe00707f) >>> 0 !== 0x02003033 || rd === 0) return;
  const index = indexOf(`x${rd}`);
  state[index] = (state[index] ?? 0n) ^ 1n;
};

/** Adds and loads of vectors; enough to see the registers move. */
const vectors: Stream = {
  name: 'vectors',
  target: withNewer('v'),
  length: 30,
  profile: () => ({ ...plainProfile, mstatus: 0x6600n }),
  group: ({ random }) =>
    random.pick([
      [`vsetvli x5, x0, e${random.pick([8, 16, 32, 64])}, m${random.pick([1, 2, 4])}, tu, mu`],
      [`vadd.vv v${random.below(8) * 4}, v${random.below(8) * 4}, v${random.below(8) * 4}`],
      ['vle8.v v8, (s10)'],
    ]),
};

/** VADD.VV with a wrong lowest bit in the highest element. */
const brokenVectorAdder: Flaw = (instruction, state) => {
  if ((instruction & 0xfe00707f) >>> 0 !== 0x02000057) return;
  const index = indexOf(`v${(instruction >>> 7) & 31}[1]`);
  state[index] = (state[index] ?? 0n) ^ (1n << 56n);
};

test('a seed stands for one program', () => {
  for (const stream of streams) {
    expect(generate(stream, 7)).toEqual(generate(stream, 7));
    expect(generate(stream, 7).groups).not.toEqual(generate(stream, 8).groups);
  }
});

test('minimising keeps what matters', async () => {
  const groups = Array.from({ length: 100 }, (_, index) => [String(index)]);
  const program = { ...generate(rv64i, 1), groups };
  const wanted = ['17', '63'];
  const minimal = await minimise(
    program,
    async ({ groups: kept }) => wanted.every((one) => kept.some(([line]) => line === one)),
    200,
  );
  expect(minimal.groups.flat()).toEqual(wanted);
});

describeWith([standard.reference.requirement], 'the rig, judged by QEMU itself', () => {
  test('QEMU runs every standard stream to its end, twice alike', async () => {
    for (const stream of streams.filter(({ target = standard }) => target === standard)) {
      const outcome = await runCampaign(stream, () => new RecordedHart(), {
        seeds: seedsFrom(1, 8),
        batch: 8,
      });
      expect(outcome).toMatchObject({ failures: [], unfinished: 0 });
      expect(outcome.compared).toBeGreaterThan(8 * 80);
    }
  }, 120_000);

  test('a wrong result is found, minimised to few groups and reported with its seed', async () => {
    const outcome = await runCampaign(m, () => new RecordedHart(brokenMultiplier), {
      seeds: seedsFrom(1, 2),
      reports: 1,
    });
    expect(outcome.failures.length).toBeGreaterThan(0);
    const report = outcome.failures[0] ?? '';
    expect(report).toMatch(/stream m, seed [12], after \d+ instructions at 0x[0-9a-f]{16}: mulhu x/);
    expect(report).toMatch(/x\d+: QEMU 0x[0-9a-f]{16}, found 0x[0-9a-f]{16}/);
    const body = report.slice(report.indexOf('minimal program'));
    expect(body.match(/^ {2}\w/gm)?.length ?? 99).toBeLessThan(12);
  }, 60_000);

  test('after a program that differs the next ones are still compared', async () => {
    const image = buildImage([generate(m, 1), generate(rv64i, 1), generate(m, 2), generate(rv64i, 2)]);
    const comparison = await compareImage(image, () => new RecordedHart(brokenMultiplier));
    expect(comparison.divergences.map(({ program }) => program)).toEqual([0, 2]);
    expect(comparison.finished).toBe(4);
  }, 60_000);

  test('any image can be traced to its first difference', async () => {
    const { bytes } = buildImage([generate(m, 1)]);
    const replay = (flaw?: Flaw): RecordedHart => {
      const hart = new RecordedHart(flaw);
      hart.loadImage(codeBase, bytes);
      return hart;
    };
    const alike = await traceToFirstDifference(bytes, replay(), { instructions: 200, memoryMebibytes });
    expect(alike).toMatchObject({ compared: 200, differences: [] });
    const broken = await traceToFirstDifference(bytes, replay(brokenMultiplier), {
      instructions: 100_000,
      memoryMebibytes,
    });
    expect(broken.differences).toHaveLength(1);
    expect(formatTrace(broken)).toMatch(/instructions alike, then:\n {2}x\d+: QEMU/);
  }, 60_000);

  const newer = references.newer.requirement.missing;
  (newer === undefined ? test : test.skip)(
    `the newer QEMU shows vectors [${newer ?? 'there'}]`,
    async () => {
      const options = { seeds: seedsFrom(1, 4), reports: 1 };
      const alike = await runCampaign(vectors, () => new RecordedHart(undefined, vectors.target), options);
      expect(alike).toMatchObject({ failures: [], unfinished: 0 });
      expect(alike.compared).toBeGreaterThan(100);
      const broken = await runCampaign(
        vectors,
        () => new RecordedHart(brokenVectorAdder, vectors.target),
        options,
      );
      expect(broken.failures[0]).toMatch(/: vadd\.vv v\d+,v\d+,v\d+\n.* v\d+\[1\]=0x.* vtype=0x/);
      expect(broken.failures[0]).toMatch(/v\d+\[1\]: QEMU 0x[0-9a-f]{16}, found/);
      expect(broken.failures[0]?.match(/^ {2}\w/gm)?.length ?? 99).toBeLessThan(12);
    },
    120_000,
  );

  test('QEMU that cannot start is an error with its own words', async () => {
    const start = QemuTrace.start(new Uint8Array(16), { memoryMebibytes, options: ['-no-such-option'] });
    await expect(start).rejects.toThrow(/no-such-option/);
  });
});
