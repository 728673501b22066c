/**
 * Programs that check themselves, for a Debian guest: stress-ng, openssl, python3 with its tests, and the tools that
 * pack and digest. An archive in the form of an initramfs, to be put behind the example guest's.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrivateApt } from './apt';
import { aptState, type Archive, fromFirstSuite, megabytes } from './archive';
import { type ArchiveEntry, writeArchive } from './cpio';
import { debianRoot, type RootSelection, smallRoot } from './debian-root';
import type { ReferenceManifest, ReferenceRequest } from './reference';

/** The archive's name in the folder. */
export const JUDGE_ARCHIVE = 'judge.cpio';
/** Where the programs' root lies in the guest: beside busybox's, which has its own /bin. */
export const JUDGE_ROOT = 'debian';

const python = 'python3\\.\\d+';
const selection: RootSelection = {
  programs: ['dash', 'coreutils', 'gzip', 'xz-utils', 'stress-ng', 'openssl', 'python3'],
  passedOver: [
    ...smallRoot.passedOver,
    // Loaded at run time for a screen, or by modules of Python that the tests do not use.
    /^(libegl-mesa0|mesa-libgallium|libdrm-(amdgpu1|common)|libx11-data|libglx?-mesa.*)$/,
    /^(libdb5.*|libsqlite3.*|libreadline.*|readline-common|libncurses.*|tzdata|netbase|net-tools|media-types|mime-support|debconf.*)$/,
  ],
  kept: [
    ...smallRoot.kept,
    /^etc\/ssl\/openssl\.cnf$/,
    /^usr\/lib\/ssl\/openssl\.cnf$/,
    // Python's own library, without what is for editors, screens and installers.
    new RegExp(
      `^usr/lib/${python}/(?!(test|idlelib|tkinter|ensurepip|turtledemo|pydoc_data)/).*(\\.py|\\.so|\\.txt)$`,
    ),
    new RegExp(
      `^usr/lib/${python}/test/(__init__|test_(math|float|decimal|struct|grammar|math_property))\\.py$`,
    ),
    new RegExp(`^usr/lib/${python}/test/(support|mathdata|decimaltestdata|typinganndata)/`),
  ],
};

/**
 * Makes the folder whole: the archive and a manifest.
 *
 * @throws ImagesError
 */
export function fetchJudge(request: ReferenceRequest): { manifest: JudgeManifest; changed: boolean } {
  const present = request.refresh ? undefined : presentManifest(request.directory);
  if (present !== undefined) return { manifest: present, changed: false };
  return { manifest: fromFirstSuite(request, (archive) => fromSuite(request, archive)), changed: true };
}

export interface JudgeManifest extends ReferenceManifest {
  /** Of the archive, in hexadecimal. */
  readonly sha256: string;
}

function fromSuite({ directory, say }: ReferenceRequest, archive: Archive): JudgeManifest {
  const fresh = `${directory}.${process.pid}`;
  const apt = new PrivateApt({ directory: aptState(fresh, archive.suite), ...archive });
  try {
    say(`reading the index of Debian ${archive.suite} for riscv64 from ${archive.mirror} ...`);
    apt.update();
    const programs = [...selection.programs, testsOf(apt)];
    const { packages, entries } = debianRoot(apt, { ...selection, programs }, say);
    const below = entries.map((entry): ArchiveEntry => ({ ...entry, path: `${JUDGE_ROOT}/${entry.path}` }));
    const content = writeArchive(withDirectories(below));
    rmSync(join(fresh, 'apt'), { recursive: true });
    writeFileSync(join(fresh, JUDGE_ARCHIVE), content);
    const manifest: JudgeManifest = {
      version: 1,
      suite: archive.suite,
      packages: packages.map(({ name, version, architecture, sha256 }) => ({
        name,
        version,
        architecture,
        sha256,
      })),
      sha256: createHash('sha256').update(content).digest('hex'),
    };
    writeFileSync(join(fresh, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    say(`  ${JUDGE_ARCHIVE}: ${megabytes(content.length)}`);
    mkdirSync(join(directory, '..'), { recursive: true });
    rmSync(directory, { recursive: true, force: true });
    renameSync(fresh, directory);
    return manifest;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** The tests of the suite's default version of Python. */
function testsOf(apt: PrivateApt): string {
  const version = apt.find('python3')?.depends.find((name) => new RegExp(`^${python}$`).test(name));
  return `lib${version ?? 'python3'}-testsuite`;
}

function withDirectories(entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
  const whole = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash);
      if (!whole.has(parent)) whole.set(parent, { kind: 'directory', path: parent });
    }
  }
  return [...whole.values()];
}

function presentManifest(directory: string): JudgeManifest | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as JudgeManifest;
    if (manifest.version !== 1 || !existsSync(join(directory, JUDGE_ARCHIVE))) return undefined;
    const content = readFileSync(join(directory, JUDGE_ARCHIVE));
    return createHash('sha256').update(content).digest('hex') === manifest.sha256 ? manifest : undefined;
  } catch {
    return undefined;
  }
}
