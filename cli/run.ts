/** `hv run`: one guest in this terminal, without any cloud. */
import { type Command, Option } from 'commander';
import type { Guest, GuestDefinition, GuestFiles } from '../engine/models/guest';
import { defaultFirmware, loadFile } from './guest-files';
import { runSession, type SessionClock, type SessionEnd } from './terminal/session';
import { Terminal, type TerminalHost } from './terminal/terminal';
import { UsageError } from './usage-error';

/** What the command needs of the world; `hv.ts` gives the real one. */
export interface RunContext {
  readonly createGuest: (definition: GuestDefinition, files: GuestFiles) => Guest;
  readonly host: TerminalHost;
  readonly clock: SessionClock;
  /** Takes the exit status, once the terminal is given back. */
  readonly exit: (status: number) => void;
}

export interface RunFlags {
  readonly kernel?: string;
  readonly initrd?: string;
  readonly firmware?: string;
  readonly memory: string;
  readonly append?: string;
  readonly disk?: readonly string[];
  readonly clock: 'real' | 'deterministic';
  readonly seed?: string;
  readonly cpu?: string;
  readonly harts: string;
  readonly reboot: boolean;
}

const DETAILS = `
The guest's console is this terminal. Ctrl-A H shows the escape keys, Ctrl-A X quits.
Disks are copy-on-write: what the guest writes is lost when it ends, the files stay as they are.
The exit status is 0 when the guest powers off, what it told the test finisher when it fails,
1 when it cannot go on, and 2 for a mistake on the command line.`;

export function addRunCommand(program: Command, context: RunContext): void {
  program
    .command('run')
    .description('run one guest in this terminal, without any cloud')
    .option('--kernel <file>', 'Linux Image (as packaged), or a raw or ELF program')
    .option('--initrd <file>', 'initial RAM disk')
    .option(
      '--firmware <file>',
      'M-mode firmware; "none" for none (default: OpenSBI where Debian or QEMU put it)',
    )
    .option('--memory <size>', 'RAM in MiB, or with a suffix: 512M, 1G', '256')
    .option('--append <line>', "kernel's command line (default: console=ttyS0 when there is a kernel)")
    .option(
      '--disk <file>',
      'raw disk image for virtio-blk; may be repeated',
      (file: string, all: string[] = []) => [...all, file],
    )
    .addOption(
      new Option('--clock <kind>', 'deterministic: time is a function of retired instructions')
        .choices(['real', 'deterministic'])
        .default('real'),
    )
    .option('--seed <number>', "seed of the guest's randomness, with --clock deterministic")
    .option('--cpu <extensions>', 'extensions on top of rv64gc, e.g. zba,zbb,sstc (default: all)')
    .option('--harts <number>', 'number of harts; this machine has one', '1')
    .option('--no-reboot', 'end when the guest resets itself, instead of starting it again')
    .addHelpText('after', DETAILS)
    .action(async (flags: RunFlags) => context.exit(await run(flags, context)));
}

/** @returns the exit status. @throws UsageError, or ImageError for a file that cannot become a guest. */
export async function run(flags: RunFlags, context: RunContext): Promise<number> {
  const { definition, files } = describeGuest(flags);
  const create = () => context.createGuest(definition, files);
  // A wrong image is refused before the terminal changes its mode.
  let first: Guest | undefined = create();
  const terminal = new Terminal(context.host);
  try {
    const end = await runSession({
      create: () => {
        const guest = first ?? create();
        first = undefined;
        return guest;
      },
      terminal,
      clock: context.clock,
      deterministic: definition.clock === 'deterministic',
      endAtReset: !flags.reboot,
    });
    terminal.close();
    return report(end, context.host.stderr);
  } finally {
    terminal.close();
  }
}

const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGTERM: 15,
};
const SIGPIPE = 13;

function report(end: SessionEnd, stderr: NodeJS.WritableStream): number {
  switch (end.cause) {
    case 'halted':
      return end.code;
    case 'quit':
      stderr.write('hv: quit\n');
      return 0;
    case 'signal':
      return 128 + (SIGNAL_NUMBERS[end.signal] ?? 0);
    case 'closed':
      return 128 + SIGPIPE;
    case 'stuck':
      stderr.write('hv: the guest waits for input, and there is none any more; keep stdin open to go on\n');
      return 1;
    case 'fault':
      stderr.write(`hv: ${end.message}\n`);
      return 1;
  }
}

/** @throws UsageError */
export function describeGuest(flags: RunFlags): { definition: GuestDefinition; files: GuestFiles } {
  if (flags.kernel === undefined && (flags.firmware === undefined || flags.firmware === 'none')) {
    throw new UsageError(
      'nothing to run; give --kernel FILE, or --firmware FILE for a program that needs no kernel',
    );
  }
  if (flags.kernel === undefined && flags.initrd !== undefined) {
    throw new UsageError('--initrd needs a kernel; give --kernel FILE');
  }
  if (flags.kernel === undefined && flags.append !== undefined) {
    throw new UsageError('--append needs a kernel; give --kernel FILE');
  }
  if (wholeNumber('--harts', flags.harts) !== 1) {
    throw new UsageError(`--harts ${flags.harts}: this machine has one hart; say --harts 1`);
  }
  if (flags.seed !== undefined && flags.clock !== 'deterministic') {
    throw new UsageError('--seed means something only in deterministic mode; add --clock deterministic');
  }
  const memory = memoryBytes(flags.memory);
  const cpu = flags.cpu === undefined ? undefined : cpuExtensions(flags.cpu);
  const kernel = flags.kernel === undefined ? undefined : loadFile('kernel', flags.kernel);
  const initrd = flags.initrd === undefined ? undefined : loadFile('initrd', flags.initrd);
  const firmware =
    flags.firmware === 'none' ? undefined : loadFile('firmware', flags.firmware ?? defaultFirmware());
  const disks = flags.disk?.map((file) => loadFile('disk', file));
  const commandLine = flags.append ?? (kernel === undefined ? undefined : 'console=ttyS0');
  return {
    definition: {
      version: 1,
      model: 'machine',
      memory,
      clock: flags.clock,
      ...(cpu === undefined ? {} : { cpu }),
      ...(flags.seed === undefined ? {} : { seed: wholeNumber('--seed', flags.seed) }),
      ...(firmware === undefined ? {} : { firmware: firmware.image }),
      ...(kernel === undefined ? {} : { kernel: kernel.image }),
      ...(initrd === undefined ? {} : { initrd: initrd.image }),
      ...(commandLine === undefined ? {} : { commandLine }),
      ...(disks === undefined ? {} : { disks: disks.map(({ image }) => image) }),
    },
    files: {
      ...(firmware === undefined ? {} : { firmware: firmware.bytes }),
      ...(kernel === undefined ? {} : { kernel: kernel.bytes }),
      ...(initrd === undefined ? {} : { initrd: initrd.bytes }),
      ...(disks === undefined ? {} : { disks: disks.map(({ bytes }) => bytes) }),
    },
  };
}

const MEBIBYTE = 1024 * 1024;

function memoryBytes(text: string): number {
  const [, digits, suffix] = /^(\d+)(M|MiB|G|GiB)?$/i.exec(text) ?? [];
  const mebibytes = Number(digits) * (/^g/i.test(suffix ?? '') ? 1024 : 1);
  // The upper bound is what a WebAssembly memory can hold; the engine has its own, lower limit.
  if (!Number.isInteger(mebibytes) || mebibytes < 1 || mebibytes > 4096) {
    throw new UsageError(
      `--memory ${text} is no size of RAM; give 1 to 4096 MiB, e.g. --memory 256 or --memory 1G`,
    );
  }
  return mebibytes * MEBIBYTE;
}

function cpuExtensions(text: string): string[] {
  const names = text
    .toLowerCase()
    .split(/[,_+]/)
    .filter((name) => name !== '' && name !== 'rv64gc');
  const wrong = names.find((name) => !/^[a-z][a-z0-9]*$/.test(name));
  if (wrong !== undefined) {
    throw new UsageError(`--cpu ${text}: "${wrong}" is no extension; give names like zba,zbb,sstc`);
  }
  return names;
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`${flag} ${text} is no whole number; give one, e.g. ${flag} 1`);
  return Number(text);
}
