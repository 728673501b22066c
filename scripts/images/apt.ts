import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImagesError } from './errors';

/** One version of a package, as the archive's signed index describes it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Names only, in order; of alternatives each one. */
  readonly depends: readonly string[];
  /** Bytes of the .deb file, and its SHA-256 in hexadecimal. */
  readonly size: number;
  readonly sha256: string;
}

export interface AptOptions {
  /** Everything that apt keeps is below this folder; the system's own state is neither read nor changed. */
  readonly directory: string;
  readonly mirror: string;
  readonly suite: string;
  readonly keyring: string;
  /** Debian's name for it; default: riscv64. */
  readonly architecture?: string;
}

/**
 * Debian's packages for one architecture through apt, for any user on any machine that has apt: a private configuration with its own
 * lists, cache and sources. apt checks the index's signature against the keyring, and each file against the index.
 */
export class PrivateApt {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #archives: string;
  readonly architecture: string;

  constructor(private readonly options: AptOptions) {
    const { directory, mirror, suite, keyring } = options;
    this.architecture = options.architecture ?? 'riscv64';
    this.#archives = join(directory, 'archives');
    for (const part of ['state/lists/partial', 'cache/archives/partial', 'archives']) {
      mkdirSync(join(directory, part), { recursive: true });
    }
    writeFileSync(join(directory, 'status'), '');
    writeFileSync(join(directory, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
    // apt.conf(5): APT_CONFIG is read before the system's apt.conf.d, which may set a proxy that is needed here, and
    // the main file after it. So our settings are the main file, and it includes the one whose place it takes.
    const main = join(directory, 'apt.conf');
    writeFileSync(main, configuration(directory, this.architecture));
    writeFileSync(join(directory, 'first.conf'), `Dir::Etc::main "${main}";\n`);
    this.#environment = { ...process.env, LC_ALL: 'C', APT_CONFIG: join(directory, 'first.conf') };
  }

  /**
   * Fetches the suite's index.
   *
   * @throws ImagesError kind `unavailable` when the mirror does not answer or its index does not verify
   */
  update(): void {
    const { mirror, suite } = this.options;
    // Without the error mode, apt-get calls an index that it could not fetch a warning.
    const { ok, output } = this.#run('apt-get', ['update', '-q', '-o', 'APT::Update::Error-Mode=any']);
    if (ok) return;
    const reasons = output.split('\n').filter((line) => /^(E|W|Err):?/.test(line));
    throw new ImagesError(
      `apt could not fetch Debian's ${suite} index for ${this.architecture} from ${mirror}:\n` +
        `${(reasons.length > 0 ? reasons : [output.trim()]).slice(0, 4).join('\n')}\n` +
        `Check the network, or name another mirror with --mirror URI.`,
      'unavailable',
    );
  }

  /** The newest version of a package in the suite, or undefined. */
  find(name: string): DebianPackage | undefined {
    const { ok, output } = this.#run('apt-cache', ['show', '--no-all-versions', name]);
    const record = ok ? parsePackageRecord(output) : undefined;
    return record?.name === name ? record : undefined;
  }

  /**
   * Fetches one package file; returns its path.
   *
   * @throws ImagesError when apt refuses it, or its bytes are not those of the signed index
   */
  download(wanted: DebianPackage): string {
    const { ok, output } = this.#run('apt-get', ['download', '-q', `${wanted.name}=${wanted.version}`]);
    const name = readdirSync(this.#archives).find((file) => file.startsWith(`${wanted.name}_`));
    if (!ok || name === undefined) {
      throw new ImagesError(
        `apt could not download ${wanted.name} ${wanted.version}:\n${output.trim()}\nRun the command again.`,
        'unavailable',
      );
    }
    const path = join(this.#archives, name);
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    if (sha256 !== wanted.sha256) {
      rmSync(path);
      throw new ImagesError(
        `${name} has SHA-256 ${sha256}, but the signed index says ${wanted.sha256}: run the command again`,
        'invalid',
      );
    }
    return path;
  }

  /** Unpacks a package file into an empty folder and returns that folder. */
  unpack(archive: string): string {
    const target = join(this.options.directory, 'unpacked');
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target);
    this.unpackInto(archive, target);
    return target;
  }

  /** Adds the files of a package to a folder. */
  unpackInto(archive: string, target: string): void {
    const { ok, output } = this.#run('dpkg-deb', ['-x', archive, target]);
    if (!ok) {
      throw new ImagesError(`dpkg-deb could not unpack ${archive}: ${output.trim()}`, 'invalid');
    }
  }

  /** Drops downloaded and unpacked packages; the index stays. */
  clean(): void {
    for (const part of ['archives', 'unpacked']) {
      rmSync(join(this.options.directory, part), { recursive: true, force: true });
    }
  }

  #run(program: string, args: readonly string[]): { ok: boolean; output: string } {
    const child = spawnSync(program, args, {
      cwd: this.#archives,
      env: this.#environment,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (child.error !== undefined) {
      throw new ImagesError(`cannot run ${program}: ${child.error.message}`, 'unavailable');
    }
    return {
      ok: child.status === 0,
      output: child.status === 0 ? child.stdout : child.stdout + child.stderr,
    };
  }
}

function configuration(directory: string, architecture: string): string {
  const system = '/etc/apt/apt.conf';
  return [
    ...(existsSync(system) ? [`#include ${system};`] : []),
    // What the system runs around its own updates is not ours to set off.
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear APT::Architectures;',
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    `Dir::State "${directory}/state";`,
    `Dir::State::status "${directory}/status";`,
    `Dir::Cache "${directory}/cache";`,
    // Container images turn these off, and then each question takes seconds to parse the index anew.
    'Dir::Cache::pkgcache "pkgcache.bin";',
    'Dir::Cache::srcpkgcache "srcpkgcache.bin";',
    `Dir::Etc::sourcelist "${directory}/sources.list";`,
    `Dir::Etc::sourceparts "/dev/null";`,
    `Dir::Etc::preferences "/dev/null";`,
    `Dir::Etc::preferencesparts "/dev/null";`,
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
    // The unprivileged user that apt would become has no access to this folder.
    'APT::Sandbox::User "root";',
    '',
  ].join('\n');
}

/** A package of the index. @throws ImagesError kind `unavailable` when it has none of that name */
export function required(apt: PrivateApt, name: string): DebianPackage {
  const found = apt.find(name);
  if (found === undefined) {
    throw new ImagesError(
      `the index has no package ${name} for ${apt.architecture}: try another suite with --suite`,
      'unavailable',
    );
  }
  return found;
}

/** The packages named, and all that they depend on but for those passed over. */
export function closure(
  apt: PrivateApt,
  names: readonly string[],
  passedOver: readonly RegExp[],
): readonly DebianPackage[] {
  const found = new Map(names.map((name) => [name, required(apt, name)]));
  for (const one of found.values()) {
    for (const name of one.depends) {
      if (found.has(name) || passedOver.some((pattern) => pattern.test(name))) continue;
      const next = apt.find(name);
      if (next) found.set(name, next);
    }
  }
  return [...found.values()];
}

/** One record of a Packages index, deb-control(5), as `apt-cache show` prints it; undefined when a field is missing. */
export function parsePackageRecord(text: string): DebianPackage | undefined {
  const fields = new Map<string, string>();
  for (const line of (text.trim().split(/\n\s*\n/)[0] ?? '').replace(/\n[ \t]+/g, ' ').split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const name = fields.get('Package');
  const version = fields.get('Version');
  const architecture = fields.get('Architecture');
  const sha256 = fields.get('SHA256');
  const size = Number(fields.get('Size'));
  if (!name || !version || !architecture || !sha256 || !Number.isSafeInteger(size)) return undefined;
  const depends = `${fields.get('Pre-Depends') ?? ''},${fields.get('Depends') ?? ''}`
    .split(/[,|]/)
    .map((dependency) => dependency.trim().split(/[\s(:]/)[0] ?? '')
    .filter((dependency) => dependency !== '');
  return { name, version, architecture, depends, size, sha256 };
}
