/**
 * A newer QEMU and newer binutils than the system's, as references for the differential tests: Debian's packages with
 * every library that they are linked with, unpacked into a folder of their own and started by that folder's loader.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closure, type DebianPackage, PrivateApt } from './apt';
import { aptState, type Archive, type ArchiveRequest, fromFirstSuite, megabytes } from './archive';
import { ImagesError } from './errors';

/** Where Debian's packages of an architecture have their libraries, and the loader by the psABI. */
interface Platform {
  readonly architecture: string;
  readonly libraries: string;
  readonly loader: string;
}

/** By Node's name of the architecture. */
const platforms: Readonly<Record<string, Platform>> = {
  x64: { architecture: 'amd64', libraries: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { architecture: 'arm64', libraries: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

const packages = ['qemu-system-riscv', 'binutils-riscv64-linux-gnu'];
/** What they depend on without being linked with it. */
const passedOver = [
  /^(ipxe-qemu|qemu-system-(data|common)|opensbi|ibverbs-providers|debconf.*|cdebconf|init-system-helpers|udev)$/,
  /^(binutils-common|libc-gconv-modules-extra|openssl-provider-legacy|sgml-base)$/,
  /-(base|data)$/,
];
/** Programs that get a wrapper in the folder, with options that it adds. */
const programs: readonly (readonly [name: string, options: string])[] = [
  ['qemu-system-riscv64', '-L "$root/usr/share/qemu" '],
  ...['as', 'ld', 'objcopy', 'objdump'].map((name) => [`riscv64-linux-gnu-${name}`, ''] as const),
];

export interface ReferenceRequest extends ArchiveRequest {
  readonly directory: string;
  readonly refresh?: boolean;
}

/** What is in the folder: `manifest.json`. */
export interface ReferenceManifest {
  readonly version: 1;
  readonly suite: string;
  readonly packages: readonly Pick<DebianPackage, 'name' | 'version' | 'architecture' | 'sha256'>[];
}

/**
 * Makes the folder whole: wrappers by the programs' names, and what they run in `root/`.
 *
 * @throws ImagesError
 */
export function fetchReference(request: ReferenceRequest): { manifest: ReferenceManifest; changed: boolean } {
  const present = request.refresh ? undefined : presentManifest(request.directory);
  if (present !== undefined) return { manifest: present, changed: false };
  return { manifest: fromFirstSuite(request, (archive) => fromSuite(request, archive)), changed: true };
}

function fromSuite({ directory, say }: ReferenceRequest, archive: Archive): ReferenceManifest {
  const platform = platforms[process.arch];
  if (platform === undefined) {
    throw new ImagesError(`Debian's QEMU for ${process.arch} would not run here`, 'unavailable');
  }
  const { architecture } = platform;
  const fresh = `${directory}.${process.pid}`;
  const apt = new PrivateApt({ directory: aptState(fresh, archive.suite), architecture, ...archive });
  try {
    say(`reading the index of Debian ${archive.suite} for ${architecture} from ${archive.mirror} ...`);
    apt.update();
    const found = closure(apt, packages, passedOver);
    const size = megabytes(found.reduce((sum, one) => sum + one.size, 0));
    say(`fetching ${packages.join(', ')} and their libraries (${found.length} packages, ${size}) ...`);
    mkdirSync(join(fresh, 'root'));
    for (const one of found) apt.unpackInto(apt.download(one), join(fresh, 'root'));
    for (const [name, options] of programs) writeWrapper(fresh, platform, name, options);
    const manifest: ReferenceManifest = {
      version: 1,
      suite: archive.suite,
      packages: found.map(({ name, version, sha256 }) => ({ name, version, architecture, sha256 })),
    };
    rmSync(join(fresh, 'apt'), { recursive: true });
    writeFileSync(join(fresh, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    rmSync(directory, { recursive: true, force: true });
    renameSync(fresh, directory);
    return manifest;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Starts a program by its own loader with its own libraries: nothing of the system's C library is in play. */
function writeWrapper(folder: string, { libraries, loader }: Platform, name: string, options: string): void {
  for (const path of [`usr/bin/${name}`, `usr/lib/${libraries}/${loader}`]) {
    if (existsSync(join(folder, 'root', path))) continue;
    throw new ImagesError(`Debian's packages have no ${path}: try another suite with --suite`, 'invalid');
  }
  const path = join(folder, name);
  const library = `$root/usr/lib/${libraries}`;
  writeFileSync(
    path,
    `#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
exec "${library}/${loader}" --library-path "${library}" "$root/usr/bin/${name}" ${options}"$@"
`,
  );
  chmodSync(path, 0o755);
}

function presentManifest(directory: string): ReferenceManifest | undefined {
  const whole = ['manifest.json', ...programs.map(([name]) => name)];
  if (!whole.every((name) => existsSync(join(directory, name)))) return undefined;
  try {
    const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as ReferenceManifest;
    return manifest.version === 1 ? manifest : undefined;
  } catch {
    return undefined;
  }
}
