/** A new program in place of the old: execve(2). Linux: fs/exec.c. */
import { CONTEXT_SIZE, CONTEXT_VECTOR_CELLS, VILL } from '../../../cpu/context';
import * as at from '../../../cpu/layout';
import { Errno } from '../errno';
import { type Program, parseProgram } from '../loader/elf';
import { loadProgram } from '../loader/load';
import { parseScript } from '../loader/script';
import { At, type BuiltStack, buildStack } from '../loader/stack';
import type { AddressSpace } from '../mm/address-space';
import { Prot } from '../mm/area';
import { TRAMPOLINE, trampolineCode } from '../mm/trampoline';
import { UserMemory, encodeText } from '../mm/user-memory';
import { fromBytes, toBytes } from '../vfs/name';
import type { Description } from './description';
import { exitOtherThreads, releaseVforkParent } from './exit';
import type { Kernel } from './kernel';
import type { Task } from './task';

const PAGE = 4096;
const STACK_TOP = TRAMPOLINE - PAGE;
/** The stack is mapped so large at first, and grows. */
const STACK_SIZE = 132 * 1024;
/** #! lines may name scripts, but not for ever. */
const MOST_SCRIPTS = 5;
/** Letters A C D F I M of the ISA: riscv's AT_HWCAP. */
const HWCAP = [...'acdfim'].reduce((bits, letter) => bits | (1 << (letter.charCodeAt(0) - 97)), 0);

export interface ExecRequest {
  /** Opens the program; `path` is undefined for the first, which the caller names. */
  readonly file: Description;
  /** As it was called: argv[0] of scripts, AT_EXECFN. */
  readonly path: string;
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
}

interface Image {
  readonly space: AddressSpace;
  readonly entry: number;
  readonly stack: BuiltStack;
}

/** Takes over the caller's reference to the file, whatever happens. @throws Errno, OutOfMemory with the old program whole */
export function exec(kernel: Kernel, task: Task, request: ExecRequest): void {
  let { file, path, argv } = request;
  const opened = [file];
  try {
    for (let depth = 0; ; depth++) {
      const script = parseScript(file.pread(0, 256));
      if (!script) break;
      if (depth >= MOST_SCRIPTS) throw new Errno('ELOOP');
      const rest = argv.slice(1);
      argv = [
        toBytes(script.interpreter),
        ...(script.argument === undefined ? [] : [toBytes(script.argument)]),
        toBytes(path),
        ...rest,
      ];
      path = script.interpreter;
      file = kernel.files.openExecutable(task, path);
      opened.push(file);
    }
    const image = build(kernel, task, file, { path: request.path, argv, envp: request.envp });
    commit(kernel, task, image, file.hold(), request.path, argv, request.envp);
  } finally {
    for (const one of opened) one.release();
  }
}

const reader =
  (file: Description) =>
  (offset: number, length: number): Uint8Array =>
    file.pread(offset, length);

function build(kernel: Kernel, task: Task, file: Description, request: Omit<ExecRequest, 'file'>): Image {
  const program = parseProgram(reader(file));
  const space = kernel.createSpace();
  try {
    const base = loadProgram(space, kernel.frames, file, program, 'program');
    space.programBreakStart = space.programBreak = base + program.high;
    let entry = base + program.entry;
    let linkerBase = 0;
    if (program.interpreter !== undefined) {
      ({ entry, base: linkerBase } = loadLinker(kernel, task, space, program.interpreter));
    }
    mapTrampoline(kernel, space);
    const prot = Prot.read | Prot.write | (program.executableStack ? Prot.execute : 0);
    space.map({ start: STACK_TOP - STACK_SIZE, end: STACK_TOP, prot, offset: 0, label: '[stack]' });
    const stack = stackFor(kernel, task, space, request, program, base, linkerBase);
    return { space, entry, stack };
  } catch (error) {
    kernel.releaseSpace(space);
    throw error;
  }
}

function loadLinker(
  kernel: Kernel,
  task: Task,
  space: AddressSpace,
  path: string,
): { entry: number; base: number } {
  const file = kernel.files.openExecutable(task, path);
  try {
    const linker = parseProgram(reader(file));
    const base = loadProgram(space, kernel.frames, file, linker, 'linker');
    return { entry: base + linker.entry, base };
  } finally {
    file.release();
  }
}

function mapTrampoline(kernel: Kernel, space: AddressSpace): void {
  const write = Prot.read | Prot.write;
  const area = { start: TRAMPOLINE, end: TRAMPOLINE + PAGE, prot: write, offset: 0, label: '[vdso]' };
  space.map(area);
  new UserMemory(kernel.frames, () => space).write(TRAMPOLINE, trampolineCode);
  space.protect(TRAMPOLINE, TRAMPOLINE + PAGE, Prot.read | Prot.execute);
}

function stackFor(
  kernel: Kernel,
  task: Task,
  space: AddressSpace,
  { argv, envp, path }: Omit<ExecRequest, 'file'>,
  program: Program,
  base: number,
  linkerBase: number,
): BuiltStack {
  const random = new Uint8Array(16);
  kernel.random.fill(random);
  const { uid, euid, gid, egid } = task.credentials;
  return buildStack(new UserMemory(kernel.frames, () => space), STACK_TOP, {
    argv: argv.length > 0 ? argv : [new Uint8Array()],
    envp,
    executable: toBytes(path),
    random,
    auxiliary: [
      [At.HWCAP, HWCAP],
      [At.PAGESZ, PAGE],
      [At.CLKTCK, 100],
      [At.PHDR, program.headers === 0 ? 0 : base + program.headers],
      [At.PHENT, 56],
      [At.PHNUM, program.headerCount],
      [At.BASE, linkerBase],
      [At.FLAGS, 0],
      [At.ENTRY, base + program.entry],
      [At.UID, uid],
      [At.EUID, euid],
      [At.GID, gid],
      [At.EGID, egid],
      [At.SECURE, uid === euid && gid === egid ? 0 : 1],
      [At.MINSIGSTKSZ, 1088 + 1024],
    ],
  });
}

const joined = (strings: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(strings.flatMap((text) => [...text, 0]));

function commit(
  kernel: Kernel,
  task: Task,
  { space, entry, stack }: Image,
  file: Description,
  path: string,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
): void {
  const { process, hart } = { process: task.process, hart: kernel.hart };
  exitOtherThreads(kernel, task);
  becomeLeader(kernel, task);
  releaseVforkParent(task);
  kernel.stirred = true;
  kernel.releaseSpace(task.space);
  task.space = space;
  if (task.files.users > 1) {
    const own = task.files.copy();
    task.files.release();
    task.files = own;
  }
  task.files.afterExec();
  task.actions = task.actions.afterExec();
  task.alternateStack = { address: 0, size: 0, flags: 2 };
  task.clearChildTid = 0;
  task.robustList = 0;
  process.executable?.release();
  process.executable = file;
  process.commandLine = joined(argv);
  process.environment = joined(envp);
  process.auxiliary = stack.auxiliary;
  process.command = task.name = path.slice(path.lastIndexOf('/') + 1).slice(0, 15);

  const context = new Uint8Array(CONTEXT_SIZE);
  const registers = new DataView(context.buffer);
  registers.setBigUint64(16, BigInt(stack.sp), true);
  registers.setBigUint64(512, BigInt(entry), true);
  registers.setBigUint64(CONTEXT_VECTOR_CELLS + at.VTYPE - at.VSTART, VILL, true);
  task.context = context;
  if (kernel.loaded === task) {
    hart.loadContext(context);
    hart.setCell(at.SATP, 0n); // the next turn loads the new tables
  }
}

/** After the other threads are gone, the one that called execve has the process's number. */
function becomeLeader(kernel: Kernel, task: Task): void {
  const { process } = task;
  if (task.tid === process.pid) return;
  kernel.tasks.delete(task.tid);
  task.tid = process.pid;
  kernel.tasks.set(task.tid, task);
}

export const textArguments = (words: readonly string[]): Uint8Array[] => words.map(encodeText);
export const pathOf = (text: string): string => fromBytes(encodeText(text));
