/** `hv run`: one guest in this terminal, without any cloud. */
import { type Command, Option } from 'commander';
import type { Guest, GuestDefinition, GuestFiles, HostServices } from '../engine/models/guest';
import { kernelCode } from '../engine/models/kernel-code';
import { LockStep } from '../engine/models/lock-step/lock-step';
import { describeContainer } from './guests/container';
import {
  checkModel,
  ENGINES,
  engineOf,
  MODELS,
  type DescribedGuest,
  type ModelName,
  type RunFlags,
} from './guests/flags';
import { DEFAULT_COUNT, openTrace } from './guests/trace';
import { describeParavirtualMachine, describeVirtualMachine } from './guests/machine';
import { runSession, type SessionClock, type SessionEnd } from './terminal/session';
import { Terminal, type TerminalHost } from './terminal/terminal';

/** What flags decide of a guest's surroundings. */
export type ChosenServices = Pick<HostServices, 'engine' | 'trace' | 'instructions'>;

/** What the command needs of the world; `hv.ts` gives the real one. */
export interface RunContext {
  readonly createGuest: (
    definition: GuestDefinition,
    files: GuestFiles | undefined,
    services?: ChosenServices,
  ) => Guest;
  readonly host: TerminalHost;
  readonly clock: SessionClock;
  /** Takes the exit status, once the terminal is given back. */
  readonly exit: (status: number) => void;
}

const DETAILS = `
The guest's console is this terminal. Ctrl-A H shows the escape keys, Ctrl-A X quits.
Disks are copy-on-write: what the guest writes is lost when it ends, the files stay as they are.
With --engine both the guest is run twice, interpreted and translated, and all of both is compared every two million
instructions; its clock is deterministic then. At a difference hv says where it is and ends with status 1.
A container's root and layers are only read: what it writes is lost when it ends.
The exit status is 0 when the guest powers off, what it told the test finisher when it fails, that of its
command for a container, 1 when it cannot go on, and 2 for a mistake on the command line.

Examples:
  hv run --kernel vmlinuz --initrd initrd.gz
  hv run --model paravirtual --kernel vmlinuz --initrd initrd.gz
  hv run --model container --root rootfs --env LANG=C -- /bin/sh`;

const repeated = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

export function addRunCommand(program: Command, context: RunContext): void {
  program
    .command('run')
    .description('run one guest in this terminal, without any cloud')
    .argument('[command...]', 'container: program and its arguments, after "--"')
    .addOption(
      new Option('--model <model>', 'how the guest is virtualized')
        .choices(MODELS)
        .default('vm' as ModelName),
    )
    .option('--kernel <file>', 'Linux Image (as packaged), or, for vm, a raw or ELF program')
    .option('--initrd <file>', 'initial RAM disk')
    .option(
      '--firmware <file>',
      'vm: M-mode firmware; "none" for none (default: OpenSBI where Debian or QEMU put it)',
    )
    .option('--memory <size>', 'RAM in MiB, or with a suffix: 512M, 1G', '256')
    .option(
      '--append <line>',
      "kernel's command line (default: console=ttyS0 for vm, console=hvc0 for paravirtual)",
    )
    .option('--disk <file>', 'raw disk image for virtio-blk; may be repeated', repeated)
    .option('--no-port', 'paravirtual: leave the kernel as it is')
    .option('--root <path>', 'container: directory or tar archive of its files')
    .option('--layer <path>', 'container: directory or tar archive above the root; may be repeated', repeated)
    .option('--env <name=value>', 'container: environment variable; may be repeated', repeated)
    .option('--workdir <path>', 'container: directory that the command starts in (default: /)')
    .option('--hostname <name>', 'container: its host name')
    .option('--pids <number>', 'container: tasks at most (default: 256)')
    .option('--strace', 'container: write each system call to stderr')
    .addOption(
      new Option('--clock <kind>', 'deterministic: time is a function of retired instructions')
        .choices(['real', 'deterministic'])
        .default('real'),
    )
    .option('--seed <number>', "seed of the guest's randomness, with --clock deterministic")
    .option(
      '--cpu <extensions>',
      'rv64gc, rva22 or max, and extensions, e.g. rva22,sstc,zfh; -zba leaves one out (default: rva22,sstc,sv57)',
    )
    .addOption(
      new Option(
        '--engine <engine>',
        'what executes instructions, guests cannot tell; both: in lock-step, up to the first difference',
      )
        .choices(ENGINES)
        .default('translator'),
    )
    .option(
      '--threshold <number>',
      'translator: arrivals at a place before it is translated, 0 for the first',
    )
    .option('--trace [file]', 'write a line for each instruction to stderr, or to a file')
    .option(
      '--trace-from <number>',
      'trace: instructions executed before the first that is shown (default: 0)',
    )
    .option('--trace-count <number>', `trace: instructions shown at most (default: ${DEFAULT_COUNT})`)
    .option('--harts <number>', 'vm, paravirtual: number of harts, 1 to 8 (default: 1)')
    .option('--no-reboot', 'end when the guest resets itself, instead of starting it again')
    .addHelpText('after', DETAILS)
    .action(async (command: string[], flags: RunFlags) => context.exit(await run(flags, command, context)));
}

/** A row a model: how its flags become a guest. */
const describe: Readonly<Record<ModelName, (flags: RunFlags, command: readonly string[]) => DescribedGuest>> =
  {
    vm: describeVirtualMachine,
    paravirtual: describeParavirtualMachine,
    container: describeContainer,
  };

/** @returns the exit status. @throws UsageError, or ImageError for a file that cannot become a guest. */
export async function run(flags: RunFlags, command: readonly string[], context: RunContext): Promise<number> {
  checkModel(flags, command);
  const { definition, files } = describe[flags.model](flags, command);
  const { stdin, stderr } = context.host;
  // In a raw terminal a new line would begin where the one before ended.
  const tell = (line: string): void => void stderr.write(stdin.isTTY === true ? `${line}\r\n` : `${line}\n`);
  const engine = engineOf(flags);
  const trace = openTrace(flags, files, tell);
  const services: ChosenServices = {
    engine,
    ...(flags.strace === true && { trace: tell }),
    ...(trace && { instructions: trace.options }),
  };
  const create = (): Guest =>
    flags.engine === 'both'
      ? inLockStep(definition, files, services, context)
      : context.createGuest(definition, files, services);
  if (flags.engine === 'both' && flags.clock === 'real')
    tell('hv: --engine both: the clock is deterministic');
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
      hasTerminalDriver: definition.model === 'container',
    });
    terminal.close();
    return report(end, context.host.stderr);
  } finally {
    trace?.close();
    terminal.close();
  }
}

function inLockStep(
  definition: GuestDefinition,
  files: GuestFiles,
  services: ChosenServices,
  { createGuest }: RunContext,
): Guest {
  const { trace, ...others } = services;
  const symbols = files.kernel && kernelCode(files.kernel);
  return new LockStep({
    // System calls are told once.
    create: (engine) =>
      createGuest(definition, files, {
        ...others,
        engine,
        ...(trace && engine.kind === 'interpreter' && { trace }),
      }),
    ...(services.engine && { translator: services.engine }),
    ...(symbols && { symbols }),
  });
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
