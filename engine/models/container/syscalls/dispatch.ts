/** From the ecall to the table's row and back. Arguments in a0 to a5, the number in a7, the result in a0. */
import { Errno, errnoNumbers } from '../errno';
import type { Kernel } from '../kernel/kernel';
import { deliverable } from '../kernel/signal-delivery';
import type { Task } from '../kernel/task';
import { Blocked } from '../kernel/wait';
import { OutOfMemory } from '../mm/page-table';
import { systemCalls } from './index';
import { nameOfMissing } from './names';
import type { SystemCall } from './table';

const byNumber = new Map(systemCalls.map((row) => [row.number, row]));

export function dispatch(kernel: Kernel, task: Task): void {
  const { hart } = kernel;
  const number = Number(hart.x(17));
  const row = byNumber.get(number);
  const registers = [10, 11, 12, 13, 14, 15].map((register) => hart.x(register));
  const before = kernel.log && row ? format(kernel, task, row, registers) : undefined;
  if (!row) {
    kernel.count(`missing-${nameOfMissing(number)}`);
    kernel.log?.(`[${task.tid}] ${nameOfMissing(number)}(...) = -1 ENOSYS`);
    finish(kernel, task, -errnoNumbers.ENOSYS);
    return;
  }
  const result = run(kernel, task, row, registers);
  if (result === 'blocked') return;
  if (before !== undefined) kernel.log?.(`${before} = ${showResult(result)}`);
  if (result === undefined) task.call = undefined;
  else finish(kernel, task, result);
}

function run(
  kernel: Kernel,
  task: Task,
  row: SystemCall,
  registers: readonly bigint[],
): number | bigint | undefined | 'blocked' {
  try {
    return row.run(kernel, registers) ?? undefined;
  } catch (error) {
    if (error instanceof Errno) return -error.number;
    if (error instanceof OutOfMemory) return -errnoNumbers.ENOMEM;
    if (!(error instanceof Blocked)) throw error;
    block(kernel, task, error);
    return 'blocked';
  }
}

/** The task sleeps with pc at its ecall: it makes the call anew when the wait is over. */
function block(kernel: Kernel, task: Task, { wait }: Blocked): void {
  if (task.state !== 'runnable') return;
  task.state = 'blocked';
  task.wait = wait;
  if (deliverable(task) === 0n || wait.kind === 'vfork') return;
  kernel.makeRunnable(task);
  task.interrupted = wait;
}

function finish(kernel: Kernel, task: Task, result: number | bigint): void {
  const { hart } = kernel;
  if (task.call?.savedMask !== undefined) task.blocked = task.call.savedMask;
  task.call = undefined;
  if (task.state === 'dead') return;
  hart.setX(10, typeof result === 'bigint' ? result : BigInt(result));
  hart.pc += 4n;
}

const errnoNames = new Map(Object.entries(errnoNumbers).map(([name, number]) => [number as number, name]));

function showResult(result: number | bigint | undefined): string {
  if (result === undefined) return '?';
  const value = Number(result);
  if (value < 0 && value > -4096) return `-1 ${errnoNames.get(-value) ?? `errno ${-value}`}`;
  return value > 0xffff ? `0x${value.toString(16)}` : String(value);
}

const format = (kernel: Kernel, task: Task, row: SystemCall, registers: readonly bigint[]): string =>
  `[${task.tid}] ${row.name}(${row.arguments.map((kind, i) => kind.format(registers[i] as bigint, kernel)).join(', ')})`;
