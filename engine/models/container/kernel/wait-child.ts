/** Which children a wait concerns, and what they have to tell: wait4(2), waitid(2). */
import { Errno } from '../errno';
import type { Process, Task } from './task';

export const WaitFor = { all: 0, pid: 1, group: 2 } as const;
export const Option = {
  NOHANG: 1,
  STOPPED: 2,
  EXITED: 4,
  CONTINUED: 8,
  NOWAIT: 0x1000000,
  NOTHREAD: 0x20000000,
  ALL: 0x40000000,
  CLONE: 0x80000000,
} as const;
const CONTINUED_STATUS = 0xffff;

export interface ChildSelector {
  readonly type: number;
  readonly id: number;
  /** Option bits; EXITED among them when ends are wanted. */
  readonly options: number;
}

export interface ChildEvent {
  readonly process: Process;
  /** As wait(2) shows it. */
  readonly status: number;
  readonly ended: boolean;
}

const matches = (process: Process, { type, id }: ChildSelector): boolean =>
  type === WaitFor.all || (type === WaitFor.pid ? process.pid === id : process.group === id);

/** The first child with something to tell; undefined when none has. */
export function findChild(task: Task, selector: ChildSelector): ChildEvent | undefined {
  for (const process of task.process.children) {
    if (!matches(process, selector)) continue;
    if (process.exitStatus !== undefined) {
      if (selector.options & Option.EXITED) return { process, status: process.exitStatus, ended: true };
      continue;
    }
    const { report } = process;
    if (report === undefined) continue;
    const wanted = report === CONTINUED_STATUS ? Option.CONTINUED : Option.STOPPED;
    if (selector.options & wanted) return { process, status: report, ended: false };
  }
  return undefined;
}

/** @throws Errno ECHILD when no child will ever match */
export function checkChildren(task: Task, selector: ChildSelector): void {
  for (const process of task.process.children) if (matches(process, selector)) return;
  throw new Errno('ECHILD');
}
