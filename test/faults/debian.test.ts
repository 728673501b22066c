/**
 * Debian computes and prints while everything around it goes wrong: workers die by SIGKILL at random moments, or are
 * frozen past their lease; the table throttles; requests and answers get lost; messages come late and twice; clocks
 * are off by minutes. Console and last checkpoint are those of a run that nobody disturbed, byte for byte.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../../cli/local/faults/random';
import type { WorkerProcess } from '../../cli/local';
import type { MachineDefinition } from '../../engine/models/guest';
import { writeArchive } from '../../scripts/images/cpio';
import { debianImages } from '../guests/debian';
import { describeFile } from '../guests/raw-guest';
import { describeWith, imagesFolder } from '../requirement';
import { startHost, workerBundle, type FaultyHost } from './host';
import { committed, undisturbed } from './outcome';

const full = process.env['TEST_FULL'] === '1';
const SEED = Number(process.env['FAULTS_SEED'] ?? 1);
const KILLS = full ? 200 : 20;
/** Lines that a guest prints: they decide how long it lives. */
const LINES = full ? 3000 : 60;
/** Guests that live at the same time: while one waits for a dead worker's lease, others run. */
const GUESTS = ['one', 'two', 'three'];
const LEASE_SECONDS = 4;

const SCRIPT = `#!/bin/sh
i=0
sum=seed
while [ $i -lt ${LINES} ]; do
  i=$((i + 1))
  sum=$(echo "$sum $i" | sha256sum)
  sum=\${sum%% *}
  echo "$i $sum"
  [ $((i % 20)) -eq 0 ] && sleep 1
done
`;

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(imagesFolder, name)));

/** An archive that is not compressed begins at a multiple of four. */
const aligned = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)]);

describeWith([debianImages, workerBundle], 'Debian under every fault', () => {
  const files = {
    firmware: read('fw_dynamic.bin'),
    kernel: read('vmlinuz'),
    // A kernel unpacks archives that follow one another over each other.
    initrd: Buffer.concat([
      aligned(read('initrd.gz')),
      writeArchive([
        { kind: 'directory', path: 'etc' },
        { kind: 'directory', path: 'etc/run' },
        {
          kind: 'file',
          path: 'etc/run/sums',
          content: new TextEncoder().encode(SCRIPT),
          mode: 0o755,
        },
      ]),
    ]),
  };
  const definition: MachineDefinition = {
    version: 1,
    model: 'machine',
    memory: 128 * 2 ** 20,
    clock: 'deterministic',
    commandLine: 'console=ttyS0 quiet hv.run=sums',
    sliceInstructions: 60_000_000,
    firmware: describeFile('fw_dynamic.bin', files.firmware),
    kernel: describeFile('vmlinuz', files.kernel),
    initrd: describeFile('initrd.gz', files.initrd),
  };
  let host: FaultyHost | undefined;
  afterEach(() => host?.stop());

  test(`${KILLS} kills, freezes, throttles, losses, duplicates, delays and wrong clocks`, async () => {
    const expected = undisturbed(definition, files);
    expect(expected.console).toMatch(new RegExp(`\\n${LINES} [0-9a-f]{64}\\r`));

    host = await startHost(
      {
        guests: Object.fromEntries(GUESTS.map((guest) => [guest, definition])),
        files: { 'fw_dynamic.bin': files.firmware, vmlinuz: files.kernel, 'initrd.gz': files.initrd },
        leaseSeconds: LEASE_SECONDS,
      },
      {
        workers: 3,
        placement: 'rotate',
        faults: {
          seed: SEED,
          odds: { throttle: 0.02, error: 0.01, lost: 0.01, applied: 0.02, twice: 0.05, late: 0.05 },
          delayMs: 10,
        },
      },
    );
    for (const guest of GUESTS) await host.start(guest);
    const harm = new Harm(host, KILLS, seeded(SEED));
    await harm.done();
    for (const guest of GUESTS) {
      const head = await host.halted(guest, full ? 3000 : 300);
      expect({ guest, ...(await committed(host.store, head, definition, files)) }).toEqual({
        guest,
        ...expected,
      });
      // One record a generation: nothing was committed twice, nothing is missing.
      const metrics = await host.store.readMetrics(guest);
      expect(metrics.map(({ generation }) => generation)).toEqual(metrics.map((_, i) => i + 1));
      expect(metrics).toHaveLength(head.generation);
    }
    expect(harm.kills).toBe(KILLS);
    expect(harm.freezes).toBeGreaterThan(0);
    const { counts } = host.cloud.faults ?? {};
    for (const kind of ['refuse', 'lost', 'applied', 'twice', 'late'] as const)
      expect({ kind, count: counts?.[kind] }).not.toEqual({ kind, count: 0 });
  }, 3_600_000);
});

/** Kills busy workers at random moments; some are frozen first, for longer than their lease lasts, and woken. */
class Harm {
  kills = 0;
  freezes = 0;
  private readonly frozen = new Set<WorkerProcess>();

  constructor(
    private readonly host: FaultyHost,
    private readonly wanted: number,
    private readonly random: () => number,
  ) {}

  /** Resolves when all harm is done, or no guest is left to be harmed. */
  async done(): Promise<void> {
    while (this.kills < this.wanted && !(await this.over())) {
      await new Promise((resolve) => setTimeout(resolve, 50 + this.random() * 600));
      const busy = this.host.cloud.workers.filter((worker) => worker.busy && !this.frozen.has(worker));
      const victim = busy[Math.floor(this.random() * busy.length)];
      if (victim?.pid === undefined) continue;
      if (this.freezes === 0 || this.random() < 0.05) this.freeze(victim, victim.pid);
      else {
        this.kills += 1;
        await this.host.cloud.kill(victim);
      }
    }
  }

  private async over(): Promise<boolean> {
    const heads = await Promise.all(GUESTS.map((guest) => this.host.store.head(guest)));
    return heads.every((head) => head?.status === 'halted');
  }

  private freeze(worker: WorkerProcess, pid: number): void {
    this.freezes += 1;
    this.frozen.add(worker);
    process.kill(pid, 'SIGSTOP');
    setTimeout(
      () => {
        if (worker.alive) process.kill(pid, 'SIGCONT');
        this.frozen.delete(worker);
      },
      (LEASE_SECONDS + 2) * 1000,
    );
  }
}
