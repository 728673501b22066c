/** A Debian guest in which programs that check themselves run: `npm run images -- --judge`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineOptions } from '../../engine/cpu/hart';
import { type ArchiveEntry, writeArchive } from '../../scripts/images/cpio';
import { JUDGE_ARCHIVE, JUDGE_ROOT } from '../../scripts/images/judge';
import type { Requirement } from '../requirement';
import { DebianImage, runUntil } from './debian';

const archive = join(__dirname, '..', '..', '.cache', 'judge', JUDGE_ARCHIVE);

export const judgeImages: Requirement = {
  missing: existsSync(archive) ? undefined : `no ${JUDGE_ARCHIVE}: run \`npm run images -- --judge\``,
};

/** The programs' root has /proc, /sys, /dev and a /tmp of its own; the script sees nothing else. */
const frame = (script: string): string => `#!/bin/sh
cd /${JUDGE_ROOT}
mkdir -p sys dev/shm
for system in proc sys dev; do mount -o bind /$system $system; done
mount -t tmpfs tmpfs tmp
mkdir -p dev/shm
mount -t tmpfs tmpfs dev/shm
cat > tmp/script <<'END OF SCRIPT'
${script}
END OF SCRIPT
PATH=/usr/bin:/usr/sbin HOME=/root LC_ALL=C.UTF-8 chroot . /bin/sh -e /tmp/script
`;

/**
 * Runs a shell script in Debian's root and returns what it printed.
 *
 * @param cpu as `hv run --cpu` takes it, in pieces
 * @throws Error with the end of the console when the guest stops before the script does
 */
export function judge(script: string, cpu: readonly string[], engine: EngineOptions): string {
  const image = new DebianImage(engine);
  const padded = (bytes: Uint8Array): readonly Uint8Array[] => [bytes, Buffer.alloc(-bytes.length & 3)];
  const entries: ArchiveEntry[] = [
    ...['etc', 'etc/run'].map((path) => ({ kind: 'directory', path }) as const),
    { kind: 'file', path: 'etc/run/judge', content: Buffer.from(frame(script)), mode: 0o755 },
  ];
  // The kernel unpacks archives that follow each other as one.
  const initrd = Buffer.concat([
    ...padded(image.files.initrd),
    ...padded(readFileSync(archive)),
    writeArchive(entries),
  ]);
  const guest = image.create(
    { memory: 2 ** 30, cpu, commandLine: 'console=ttyS0 quiet hv.run=judge' },
    { initrd },
  );
  const output = runUntil(guest, 'Power down', 1e12, 1e8);
  return output.slice(output.indexOf('userspace reached')).replaceAll('\r\n', '\n');
}
