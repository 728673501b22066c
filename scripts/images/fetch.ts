import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DebianPackage, PrivateApt, required } from './apt';
import { type Archive, aptState, type ArchiveRequest, fromFirstSuite, megabytes } from './archive';
import { debianRoot, rootArchive, smallRoot } from './debian-root';
import { ImagesError } from './errors';
import { initramfs } from './initramfs';
import { busyboxRoot } from './roots';

export interface ImagesRequest extends ArchiveRequest {
  readonly directory: string;
  /** Ask the mirror for newer packages though the images are there. */
  readonly refresh?: boolean;
}

/** Roots for containers. */
const DEBIAN_ROOT = 'debian-root.tar';
const BUSYBOX_ROOT = 'busybox-root.tar';

/** What is in the folder: `manifest.json`. */
export interface ImagesManifest {
  readonly version: 1;
  readonly suite: string;
  readonly packages: readonly Pick<DebianPackage, 'name' | 'version' | 'architecture' | 'size' | 'sha256'>[];
  /** By file name: bytes and SHA-256 in hexadecimal. */
  readonly files: Readonly<Record<string, { readonly size: number; readonly sha256: string }>>;
}

/** What is taken out of which package: file in the package to file in the images folder. */
const wanted: readonly {
  find: (apt: PrivateApt) => DebianPackage;
  files: (p: DebianPackage) => [string, string][];
}[] = [
  {
    find: kernelPackage,
    files: ({ name }) => [
      [`usr/lib/modules/${name.replace(/^linux-(binary|image)-/, '')}/vmlinuz`, 'vmlinuz'],
    ],
  },
  {
    find: (apt) => required(apt, 'opensbi'),
    files: () => [
      ['usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin', 'fw_dynamic.bin'],
      ['usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.bin', 'fw_jump.bin'],
    ],
  },
  { find: (apt) => required(apt, 'busybox-static'), files: () => [['usr/bin/busybox', 'busybox']] },
];

/**
 * Makes the images folder whole: what is there and right is kept, the initramfs is made anew when its recipe changed,
 * the rest comes from Debian's archive.
 *
 * @throws ImagesError
 */
export function fetchImages(request: ImagesRequest): { manifest: ImagesManifest; changed: boolean } {
  const present = request.refresh ? undefined : presentManifest(request);
  if (present !== undefined) return writeDerived(request, present);
  return fromFirstSuite(request, (source) => writeDerived(request, fromSuite(request, source), true));
}

function fromSuite(request: ImagesRequest, source: Archive): ImagesManifest {
  const { directory, say } = request;
  const { suite, mirror } = source;
  const apt = new PrivateApt({ directory: aptState(directory, suite), ...source });
  try {
    say(`reading the index of Debian ${suite} for riscv64 from ${mirror} ...`);
    apt.update();
    const packages: ImagesManifest['packages'][number][] = [];
    const files: Record<string, { size: number; sha256: string }> = {};
    for (const row of wanted) {
      const found = row.find(apt);
      say(`fetching ${found.name} ${found.version} (${megabytes(found.size)}) ...`);
      const unpacked = apt.unpack(apt.download(found));
      for (const [path, name] of row.files(found)) {
        const file = [path, `boot/vmlinuz-${found.name.replace(/^linux-(binary|image)-/, '')}`]
          .map((candidate) => join(unpacked, candidate))
          .find((candidate) => existsSync(candidate));
        if (file === undefined) {
          throw new ImagesError(
            `${found.name} ${found.version} has no ${path}: the package changed its form; try another suite with --suite`,
            'invalid',
          );
        }
        files[name] = place(directory, name, readFileSync(file));
        say(`  ${name}: ${megabytes(files[name].size)}`);
      }
      const { name, version, architecture, size, sha256 } = found;
      packages.push({ name, version, architecture, size, sha256 });
    }
    const root = debianRoot(apt, smallRoot, say);
    for (const { name, version, architecture, size, sha256 } of root.packages) {
      packages.push({ name, version, architecture, size, sha256 });
    }
    const archive = rootArchive(root);
    files[DEBIAN_ROOT] = place(directory, DEBIAN_ROOT, archive);
    say(`  ${DEBIAN_ROOT}: ${megabytes(archive.length)}`);
    return { version: 1, suite, packages, files };
  } finally {
    apt.clean();
  }
}

/**
 * The package that holds the kernel. `linux-image-riscv64` depends on the newest version's image, and that (since
 * Linux 7) on the binary.
 */
function kernelPackage(apt: PrivateApt): DebianPackage {
  const follow = (found: DebianPackage, patterns: readonly RegExp[]): DebianPackage => {
    for (const pattern of patterns) {
      const next = found.depends.find((name) => pattern.test(name) && name !== found.name);
      if (next !== undefined) return follow(required(apt, next), patterns);
    }
    return found;
  };
  return follow(required(apt, 'linux-image-riscv64'), [
    /^linux-binary-.*-riscv64$/,
    /^linux-image-.*-riscv64$/,
  ]);
}

/** What is made here of what was fetched: the initramfs and the busybox root. */
function writeDerived(
  { directory, say }: ImagesRequest,
  base: ImagesManifest,
  fetched = false,
): { manifest: ImagesManifest; changed: boolean } {
  const busybox = readFileSync(join(directory, 'busybox'));
  const derived = { 'initrd.gz': initramfs(busybox), [BUSYBOX_ROOT]: busyboxRoot(busybox) };
  const files = { ...base.files };
  let changed = fetched;
  for (const [name, content] of Object.entries(derived)) {
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (!fetched && files[name]?.sha256 === sha256) continue;
    files[name] = place(directory, name, content);
    changed = true;
    say(`  ${name}: ${megabytes(content.length)}`);
  }
  if (!changed) return { manifest: base, changed };
  const manifest = { ...base, files };
  place(directory, 'manifest.json', Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  return { manifest, changed };
}

/** The manifest when it is there, is of the suites asked for, and each file is what it says; else undefined. */
function presentManifest({ directory, suites }: ImagesRequest): ImagesManifest | undefined {
  const path = join(directory, 'manifest.json');
  if (!existsSync(path)) return undefined;
  let manifest: ImagesManifest;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as ImagesManifest;
  } catch {
    return undefined;
  }
  // Made by a build that knew fewer images: all are fetched anew.
  if (!(DEBIAN_ROOT in manifest.files)) return undefined;
  if (manifest.version !== 1 || (suites !== undefined && !suites.includes(manifest.suite))) return undefined;
  const intact = Object.entries(manifest.files).every(([name, { sha256 }]) => {
    const file = join(directory, name);
    return existsSync(file) && createHash('sha256').update(readFileSync(file)).digest('hex') === sha256;
  });
  return intact ? manifest : undefined;
}

/** Writes a file whole or not at all. */
function place(directory: string, name: string, content: Uint8Array): { size: number; sha256: string } {
  mkdirSync(directory, { recursive: true });
  const temporary = join(directory, `${name}.${process.pid}`);
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, join(directory, name));
  } finally {
    rmSync(temporary, { force: true });
  }
  return { size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}
