/** What user mode traps for: system calls, faults, mistakes. Causes: privileged ISA manual, "Machine Cause". */
import { Prot } from '../mm/area';
import { OutOfMemory } from '../mm/page-table';
import { dispatch } from '../syscalls/dispatch';
import { exitGroup } from './exit';
import type { Kernel } from './kernel';
import { Signal } from './signal-numbers';
import { forceSignal } from './signal-delivery';
import { fromKernel } from './signals';
import type { Task } from './task';

const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const BUS_ADRALN = 1;
const BUS_ADRERR = 2;
const ILL_ILLOPC = 1;
const TRAP_BRKPT = 1;

const ENVIRONMENT_CALL = 8;
const accesses: Readonly<Record<number, number>> = { 12: Prot.execute, 13: Prot.read, 15: Prot.write };

interface Mistake {
  readonly signal: number;
  readonly code: number;
}
const mistakes: Readonly<Record<number, Mistake>> = {
  0: { signal: Signal.SIGBUS, code: BUS_ADRALN },
  1: { signal: Signal.SIGSEGV, code: SEGV_ACCERR },
  2: { signal: Signal.SIGILL, code: ILL_ILLOPC },
  3: { signal: Signal.SIGTRAP, code: TRAP_BRKPT },
  4: { signal: Signal.SIGBUS, code: BUS_ADRALN },
  5: { signal: Signal.SIGSEGV, code: SEGV_ACCERR },
  6: { signal: Signal.SIGBUS, code: BUS_ADRALN },
  7: { signal: Signal.SIGSEGV, code: SEGV_ACCERR },
};

export function handleTrap(kernel: Kernel, task: Task): void {
  const { cause, value } = kernel.hart.trap;
  if (cause === ENVIRONMENT_CALL) {
    kernel.stirred = true;
    dispatch(kernel, task);
    return;
  }
  const access = accesses[cause];
  if (access !== undefined) {
    pageFault(kernel, task, value, access);
    return;
  }
  const { signal, code } = mistakes[cause] ?? { signal: Signal.SIGILL, code: ILL_ILLOPC };
  const address = cause === 2 || cause === 3 ? kernel.hart.pc : value;
  forceSignal(kernel, task, fromKernel(signal, code, address));
}

function pageFault(kernel: Kernel, task: Task, address: bigint, access: number): void {
  try {
    const result = task.space.fault(Number(address), access);
    if (result === 'ok') return;
    if (result === 'bus') forceSignal(kernel, task, fromKernel(Signal.SIGBUS, BUS_ADRERR, address));
    else {
      const code = result === 'unmapped' ? SEGV_MAPERR : SEGV_ACCERR;
      forceSignal(kernel, task, fromKernel(Signal.SIGSEGV, code, address));
    }
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error;
    outOfMemory(kernel, task);
  }
}

/** The container's memory is used up: who asked for more is killed, as the OOM killer of a memory cgroup would. */
export function outOfMemory(kernel: Kernel, task: Task): void {
  kernel.count('oom-kill');
  exitGroup(kernel, task.process, Signal.SIGKILL);
}
