import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Requirement } from '../requirement';

/**
 * Who proves an instruction. `qemu` is the system's QEMU (7.2 in Debian 12), fast and with a short log. `newer` is the
 * one that `npm run images -- --reference` unpacks beside its own libraries: it knows the younger extensions, shows
 * vector registers and every CSR, and takes about three times as long.
 */
export type ReferenceName = 'qemu' | 'newer';

export interface Reference {
  readonly name: ReferenceName;
  readonly requirement: Requirement;
  readonly qemu: string;
  /** Binutils that know the reference's extensions. */
  readonly assembler: string;
  readonly linker: string;
  readonly objcopy: string;
  readonly objdump: string;
  /** Options for one instruction a translation block. */
  readonly singleStep: readonly string[];
  /** `-cpu` for RV64GC and the named extensions, nothing else. */
  cpu(extensions: readonly string[]): string;
}

const commands = ['qemu', 'assembler', 'linker', 'objcopy', 'objdump'] as const;
type Commands = Pick<Reference, (typeof commands)[number]>;

function requirementOf(tools: Commands, advice: string): Requirement {
  for (const command of commands) {
    const path = tools[command];
    if (
      path.includes('/') ? existsSync(path) : spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0
    )
      continue;
    return { missing: `${path} is not there: ${advice}` };
  }
  return { missing: undefined };
}

/** Names overridable, since distributions differ in the cross prefix. */
const systemTools: Commands = {
  qemu: process.env['QEMU_SYSTEM_RISCV64'] ?? 'qemu-system-riscv64',
  assembler: process.env['RISCV_AS'] ?? 'riscv64-linux-gnu-as',
  linker: process.env['RISCV_LD'] ?? 'riscv64-linux-gnu-ld',
  objcopy: process.env['RISCV_OBJCOPY'] ?? 'riscv64-linux-gnu-objcopy',
  objdump: process.env['RISCV_OBJDUMP'] ?? 'riscv64-linux-gnu-objdump',
};

const newerFolder = process.env['REFERENCE_FOLDER'] ?? join(__dirname, '..', '..', '.cache', 'reference');
const newerTools: Commands = {
  qemu: join(newerFolder, 'qemu-system-riscv64'),
  assembler: join(newerFolder, 'riscv64-linux-gnu-as'),
  linker: join(newerFolder, 'riscv64-linux-gnu-ld'),
  objcopy: join(newerFolder, 'riscv64-linux-gnu-objcopy'),
  objdump: join(newerFolder, 'riscv64-linux-gnu-objdump'),
};

/** What QEMU 7.2 has on by default and the streams may leave out. */
const switchable = ['zba', 'zbb', 'zbs', 'zbc', 'sstc', 'v', 'h'] as const;

export const references: Readonly<Record<ReferenceName, Reference>> = {
  qemu: {
    name: 'qemu',
    ...systemTools,
    requirement: requirementOf(systemTools, 'apt-get install qemu-system-misc binutils-riscv64-linux-gnu'),
    singleStep: ['-singlestep'],
    cpu: (extensions) =>
      ['rv64', 'debug=false', ...switchable.map((name) => `${name}=${extensions.includes(name)}`)].join(),
  },
  newer: {
    name: 'newer',
    ...newerTools,
    requirement: requirementOf(newerTools, 'run `npm run images -- --reference`'),
    singleStep: ['-accel', 'tcg,one-insn-per-tb=on'],
    cpu: (extensions) =>
      [
        'rv64i,debug=false,mmu=true,pmp=true,sv57=true,pmu-mask=0',
        ...['m', 'a', 'f', 'd', 'c', 's', 'u', 'zicsr', 'zifencei', 'zicntr'].map((name) => `${name}=true`),
        ...extensions.map((name) => `${name}=true`),
        ...(extensions.includes('v') ? ['vlen=128'] : []),
      ].join(),
  },
};

/** The assembler's `-march`: single letters first. */
export function marchOf(extensions: readonly string[]): string {
  const privileged = /^s[ms]/;
  const known = extensions.filter((name) => !privileged.test(name));
  const letters = known.filter((name) => name.length === 1).join('');
  const others = ['zicsr', 'zifencei', 'zihintpause', ...known.filter((name) => name.length > 1)];
  return `rv64gc${letters}_${[...new Set(others)].join('_')}`;
}

/** E.g. `QEMU 7.2.22`. */
export function titleOf(reference: Reference): string {
  const banner = execFileSync(reference.qemu, ['--version'], { encoding: 'utf8' });
  return `QEMU ${/version (\S+)/.exec(banner)?.[1] ?? '?'}`;
}
