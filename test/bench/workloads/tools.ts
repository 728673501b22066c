/**
 * Debian's own sha256sum, gzip and xz over 32 MiB of Debian's own programs, each peer as a whole process: the same
 * binaries, the same data. They come from the archive of `npm run images -- --judge`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArchiveEntry, writeArchive } from '../../../scripts/images/cpio';
import { JUDGE_ARCHIVE, JUDGE_ROOT } from '../../../scripts/images/judge';
import type { GuestRun, Peer } from '../peer';
import { interleave } from '../statistics';
import type { Workload, WorkloadOptions } from '../workload';
import { guestWorkload } from './boot';
import { compareLaps } from './programs';

const NAME = 'tools';
const MEBIBYTE = 2 ** 20;
const BYTES = 32 * MEBIBYTE;
/** For the archive, what is unpacked of it, and the data. */
const MEMORY_MIB = 1024;
const TIMEOUT_MS = 30 * 60_000;

/** What each does, and what is told of its result; `-n`: without the time. `xz -1`: its higher levels take QEMU minutes. */
const tools: readonly (readonly [name: string, command: string])[] = [
  ['sha256sum', 'sha256sum data'],
  ['gzip', 'gzip -nc data > data.gz; cksum data.gz'],
  ['gunzip', 'gzip -dc data.gz | cksum'],
  ['xz', 'xz -1 -T1 -c data > data.xz; cksum data.xz'],
  ['unxz', 'xz -dc data.xz | cksum'],
];

/** The data are programs and libraries, in the order of their names. The guest's init runs it beside the tools' root, which it enters. */
const script = `#!/bin/sh
cd /${JUDGE_ROOT}
mount -t tmpfs -o size=200m tmpfs tmp
cat > tmp/script <<'END'
cd /usr
cat bin/* lib/riscv64-linux-gnu/*.so* lib/python3*/*.py 2> /dev/null | head -c ${BYTES} > /tmp/data
cd /tmp
test $(stat -c %s data) -eq ${BYTES}
${tools
  .map(([name, command]) => `echo begin ${name}; sum=$(${command}); echo end ${name} \${sum%% *}`)
  .join('\n')}
END
PATH=/usr/bin:/bin LC_ALL=C exec chroot . /bin/sh -e /tmp/script
`;

export function toolsWorkload(ours: Peer, theirs: Peer, target?: number): Workload {
  return {
    name: NAME,
    title: `Debian's sha256sum, gzip and xz over 32 MiB: ${ours.name} against ${theirs.name}`,
    async run({ runs, images, progress }: WorkloadOptions) {
      const archive = join(images, '..', 'judge', JUDGE_ARCHIVE);
      const missing = existsSync(archive)
        ? undefined
        : `${JUDGE_ARCHIVE} is missing: run \`npm run images -- --judge\``;
      const reason = missing ?? theirs.available() ?? ours.available();
      if (reason !== undefined) return { workload: NAME, skipped: reason };
      const folder = mkdtempSync(join(tmpdir(), 'tools-'));
      try {
        const initrd = join(folder, 'initrd');
        writeFileSync(initrd, initrdOf(join(images, 'initrd.gz'), archive));
        const guest = {
          ...guestWorkload(images),
          initrd,
          memoryMiB: MEMORY_MIB,
          commandLine: 'console=ttyS0 quiet panic=-1 hv.run=tools',
          timeoutMs: TIMEOUT_MS,
        };
        const once = (peer: Peer) => async (): Promise<GuestRun> => {
          const run = await peer.run(guest);
          for (const [name] of tools)
            if (!run.laps.has(name)) throw new Error(`${peer.name}: ${name} did not end in its time`);
          const laps = [...run.laps].map(([name, { ms }]) => `${name} ${ms.toFixed(0)} ms`);
          progress(`${peer.name}: ${laps.join(', ')}`);
          return run;
        };
        const { first, second } = await interleave(runs, once(ours), once(theirs));
        const figures = tools.flatMap(([name]) => compareLaps(name, ours, first, theirs, second, target));
        return { workload: NAME, runs, figures };
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/** The kernel unpacks archives that follow each other as one. */
function initrdOf(...archives: readonly string[]): Uint8Array {
  const padded = archives.flatMap((file) => {
    const bytes = readFileSync(file);
    return [bytes, Buffer.alloc(-bytes.length & 3)];
  });
  const entries: ArchiveEntry[] = [
    ...['etc', 'etc/run'].map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'file', path: 'etc/run/tools', content: Buffer.from(script), mode: 0o755 },
  ];
  return Buffer.concat([...padded, writeArchive(entries)]);
}
