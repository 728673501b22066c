/** Starting programs from outside: the container's first process, and those that events are given to. */
import { ImageError, type ContainerDefinition } from '../../guest';
import { Errno } from '../errno';
import { OutOfMemory } from '../mm/page-table';
import { encodeText } from '../mm/user-memory';
import { O } from '../vfs/constants';
import { fromBytes } from '../vfs/name';
import { Description } from './description';
import { exec } from './exec';
import { exitGroup } from './exit';
import { FileContext } from './file-context';
import { FileTable } from './file-table';
import { subjectOf } from './files';
import type { Kernel } from './kernel';
import { SignalActions } from './signal-state';
import { Process, Task, rootCredentials } from './task';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const CONSOLE = '/dev/console';

/** PATH, HOME, TERM, HOSTNAME as container engines set them, unless the definition does. */
function environment(definition: ContainerDefinition, hostname: string): Map<string, string> {
  return new Map([
    ['PATH', PATH],
    ['HOME', '/root'],
    ['TERM', 'linux'],
    ['HOSTNAME', hostname],
    ...Object.entries(definition.environment ?? {}),
  ]);
}

/** A process with an empty program: `exec` gives it one. */
function createProcess(kernel: Kernel): Task {
  const { root } = kernel.files.vfs.namespace;
  const pid = kernel.allocatePid();
  const process = new Process(pid, undefined, pid, pid);
  process.started = kernel.now;
  const task = new Task(
    pid,
    process,
    kernel.createSpace(),
    new FileTable(),
    new FileContext(root, root, 0o022),
    new SignalActions(),
    rootCredentials(),
  );
  process.threads.add(task);
  kernel.tasks.set(pid, task);
  kernel.processes.set(pid, process);
  return task;
}

/** Runs a program with the definition's surroundings. @throws ImageError naming program and reason */
export function startProgram(
  kernel: Kernel,
  definition: ContainerDefinition,
  command: readonly string[],
  connect: (task: Task) => void,
): Task {
  const task = createProcess(kernel);
  const variables = environment(definition, kernel.hostname);
  const program = command[0] ?? '';
  try {
    const cwd = definition.workingDirectory ?? '/';
    task.fileContext.cwd = kernel.files.vfs.enter(
      subjectOf(task),
      kernel.files.vfs.resolve(subjectOf(task), bytesOf(cwd)),
    );
    connect(task);
    const { path, file } = find(kernel, task, bytesOf(program), variables.get('PATH') ?? PATH);
    exec(kernel, task, {
      path,
      file,
      argv: command.map(encodeText),
      envp: [...variables].map(([name, value]) => encodeText(`${name}=${value}`)),
    });
  } catch (error) {
    if (!(error instanceof Errno || error instanceof OutOfMemory)) throw error;
    exitGroup(kernel, task.process, 127 << 8);
    const reason = error instanceof Errno ? error.code : 'its memory does not suffice';
    throw new ImageError(
      `cannot start "${program}" in ${definition.workingDirectory ?? '/'}: ${reason}; name a riscv64 program of the image`,
    );
  }
  kernel.queue.push(task);
  kernel.stirred = true;
  return task;
}

const bytesOf = (text: string): string => fromBytes(encodeText(text));

/** As execvp(3) looks for it. */
function find(
  kernel: Kernel,
  task: Task,
  program: string,
  path: string,
): { path: string; file: Description } {
  if (program.includes('/')) return { path: program, file: kernel.files.openExecutable(task, program) };
  let failure = new Errno('ENOENT');
  for (const directory of bytesOf(path).split(':')) {
    const candidate = `${directory === '' ? '.' : directory}/${program}`;
    try {
      return { path: candidate, file: kernel.files.openExecutable(task, candidate) };
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (error.code === 'EACCES') failure = error;
    }
  }
  throw failure;
}

/** The console as descriptor. */
export const openConsole = (kernel: Kernel, task: Task): Description =>
  kernel.files.open(task, -100, CONSOLE, O.RDWR, 0);

/** Process 1: leader of the session that the console controls. */
export function startInit(kernel: Kernel, definition: ContainerDefinition): void {
  startProgram(kernel, definition, definition.command, (task) => {
    const { terminal } = kernel;
    terminal.session = terminal.foreground = task.process.pid;
    const console = openConsole(kernel, task);
    task.files.set(0, console, false);
    task.files.set(1, console.hold(), false);
    task.files.set(2, console.hold(), false);
  });
}
