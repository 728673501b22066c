/**
 * The frame that a signal handler runs on. Linux: arch/riscv/kernel/signal.c.
 *
 *   0    siginfo_t                      128 bytes
 *   128  ucontext: flags, link          16
 *   144  stack_t: sp, flags, size       24
 *   168  sigset_t, and room for 1024    128, then 8 to the next multiple of 16
 *   304  mcontext: pc, x1 to x31        256
 *   560  f0 to f31, fcsr, reserved      520
 *   1080 head of what follows           8: magic and size, both zero at the end
 *
 * and where the hart has vectors (arch/riscv/include/uapi/asm/sigcontext.h):
 *
 *   1088 vstart, vl, vtype, vcsr, vlenb, address of v0 to v31   48
 *   1136 v0 to v31                      512
 *   1648 head of the end                8, then 8 to the next multiple of 16
 */
import { CONTEXT_VECTORS, CONTEXT_VECTOR_CELLS, VILL, hasVectors } from '../../../cpu/context';
import * as at from '../../../cpu/layout';
import { Errno } from '../errno';
import { TRAMPOLINE } from '../mm/trampoline';
import { OutOfMemory } from '../mm/page-table';
import type { Kernel } from './kernel';
import { Signal, UNBLOCKABLE } from './signal-numbers';
import type { SignalAction, SignalInfo } from './signal-state';
import type { Task } from './task';

const FRAME_SIZE = 1088;
const FRAME_SIZE_WITH_VECTORS = 1664;
const CONTEXT = 128;
const STACK = 144;
const MASK = 168;
const REGISTERS = 304;
const FLOATS = 560;
const FCSR = FLOATS + 256;
const EXTENSION = 1080;
const VECTOR_CELLS = 1088;
const VECTORS = 1136;
const VECTORS_SIZE = 32 * at.VLENB;
const EXTENSION_SIZE = VECTORS + VECTORS_SIZE - EXTENSION;
/** RISCV_V_MAGIC */
const VECTOR_MAGIC = 0x53465457;

const SA_ONSTACK = 0x08000000;
const SS_ONSTACK = 1;
export const SS_DISABLE = 2;

const onStack = (task: Task, sp: number): boolean => {
  const { address, size, flags } = task.alternateStack;
  return flags !== SS_DISABLE && sp > address && sp <= address + size;
};
/** What sigaltstack(2) tells of the stack. */
export const stackFlags = (task: Task, sp: number): number =>
  task.alternateStack.flags === SS_DISABLE ? SS_DISABLE : onStack(task, sp) ? SS_ONSTACK : 0;

/** Puts the frame on the loaded task's stack and the hart into the handler; false when there is no stack. */
export function pushFrame(
  kernel: Kernel,
  task: Task,
  info: SignalInfo,
  action: SignalAction,
  mask: bigint,
): boolean {
  const { hart, memory } = kernel;
  let sp = Number(hart.x(2));
  const stack = task.alternateStack;
  if (action.flags & SA_ONSTACK && stack.flags !== SS_DISABLE && !onStack(task, sp)) {
    sp = stack.address + stack.size;
  }
  const size = hasVectors(kernel.extensions) ? FRAME_SIZE_WITH_VECTORS : FRAME_SIZE;
  const frame = Math.floor((sp - size) / 16) * 16;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  writeInfo(view, info);
  view.setBigUint64(STACK, BigInt(stack.address), true);
  view.setUint32(STACK + 8, stackFlags(task, Number(hart.x(2))), true);
  view.setBigUint64(STACK + 16, BigInt(stack.size), true);
  view.setBigUint64(MASK, mask, true);
  view.setBigUint64(REGISTERS, hart.pc, true);
  for (let i = 1; i < 32; i++) view.setBigUint64(REGISTERS + 8 * i, hart.x(i), true);
  for (let i = 0; i < 32; i++) view.setBigUint64(FLOATS + 8 * i, hart.f(i), true);
  view.setUint32(FCSR, Number(hart.cell(at.FFLAGS) | (hart.cell(at.FRM) << 5n)), true);
  if (hasVectors(kernel.extensions)) writeVectors(bytes, frame, hart.saveContext());
  try {
    memory.write(frame, bytes);
  } catch (error) {
    if (error instanceof Errno || error instanceof OutOfMemory) return false;
    throw error;
  }
  hart.setX(1, BigInt(TRAMPOLINE));
  hart.setX(2, BigInt(frame));
  hart.setX(10, BigInt(info.signal));
  hart.setX(11, BigInt(frame));
  hart.setX(12, BigInt(frame + CONTEXT));
  hart.pc = BigInt(action.handler);
  return true;
}

/** rt_sigreturn: everything as the frame says. @throws Errno EFAULT */
export function popFrame(kernel: Kernel, task: Task): void {
  const { hart, memory } = kernel;
  const frame = Number(hart.x(2));
  const bytes = memory.read(frame, hasVectors(kernel.extensions) ? FRAME_SIZE_WITH_VECTORS : FRAME_SIZE);
  const view = new DataView(bytes.buffer);
  const context = hart.saveContext();
  const registers = new DataView(context.buffer);
  for (let i = 1; i < 32; i++)
    registers.setBigUint64(8 * i, view.getBigUint64(REGISTERS + 8 * i, true), true);
  for (let i = 0; i < 32; i++)
    registers.setBigUint64(256 + 8 * i, view.getBigUint64(FLOATS + 8 * i, true), true);
  registers.setBigUint64(512, view.getBigUint64(REGISTERS, true) & ~1n, true);
  const fcsr = view.getUint32(FCSR, true);
  registers.setBigUint64(520, BigInt(fcsr & 31), true);
  registers.setBigUint64(528, BigInt((fcsr >> 5) & 7), true);
  if (hasVectors(kernel.extensions)) readVectors(bytes, context);
  hart.loadContext(context);
  task.blocked = view.getBigUint64(MASK, true) & ~UNBLOCKABLE;
}

/** The vector unit's cells of a context, by their places in it. */
const cells = { vstart: 0, vxsat: 8, vxrm: 16, vl: 24, vtype: 32 } as const;

function writeVectors(bytes: Uint8Array, frame: number, context: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  const registers = new DataView(context.buffer, CONTEXT_VECTOR_CELLS);
  const cell = (name: keyof typeof cells): bigint => registers.getBigUint64(cells[name], true);
  view.setUint32(EXTENSION, VECTOR_MAGIC, true);
  view.setUint32(EXTENSION + 4, EXTENSION_SIZE, true);
  const vcsr = (cell('vxrm') << 1n) | cell('vxsat');
  const values = [cell('vstart'), cell('vl'), cell('vtype'), vcsr, BigInt(at.VLENB), BigInt(frame + VECTORS)];
  values.forEach((value, i) => view.setBigUint64(VECTOR_CELLS + 8 * i, value, true));
  bytes.set(context.subarray(CONTEXT_VECTORS, CONTEXT_VECTORS + VECTORS_SIZE), VECTORS);
}

/** From a frame that the program may have changed: what no instruction could have set becomes no vector type at all. */
function readVectors(bytes: Uint8Array, context: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  if (view.getUint32(EXTENSION, true) !== VECTOR_MAGIC) return;
  const registers = new DataView(context.buffer, CONTEXT_VECTOR_CELLS);
  const [vstart, vl, vtype, vcsr] = [0, 8, 16, 24].map((offset) =>
    view.getBigUint64(VECTOR_CELLS + offset, true),
  ) as [bigint, bigint, bigint, bigint];
  const longest = longestVector(vtype);
  const valid = longest !== undefined && vl <= longest;
  registers.setBigUint64(cells.vstart, vstart & 0x7fn, true);
  registers.setBigUint64(cells.vl, valid ? vl : 0n, true);
  registers.setBigUint64(cells.vtype, valid ? vtype : VILL, true);
  registers.setBigUint64(cells.vxsat, vcsr & 1n, true);
  registers.setBigUint64(cells.vxrm, (vcsr >> 1n) & 3n, true);
  context.set(bytes.subarray(VECTORS, VECTORS + VECTORS_SIZE), CONTEXT_VECTORS);
}

/** VLMAX of a vtype; undefined where `vsetvl` would set vill. "Vector Type Register". */
function longestVector(vtype: bigint): bigint | undefined {
  const elementBits = 8n << ((vtype >> 3n) & 7n);
  const multiplier = vtype & 7n;
  if (vtype >> 8n !== 0n || elementBits > 64n || multiplier === 4n) return undefined;
  const registerBits = BigInt(8 * at.VLENB);
  const groupBits = multiplier < 4n ? registerBits << multiplier : registerBits >> (8n - multiplier);
  // A fraction must leave room for the element at ELEN = 64.
  if (multiplier > 4n && elementBits > 64n >> (8n - multiplier)) return undefined;
  return groupBits / elementBits;
}

/** siginfo_t: number, errno, code, then what depends on the signal. */
export function writeInfo(view: DataView, info: SignalInfo): void {
  view.setInt32(0, info.signal, true);
  view.setInt32(8, info.code, true);
  const faults: readonly number[] = [
    Signal.SIGILL,
    Signal.SIGFPE,
    Signal.SIGSEGV,
    Signal.SIGBUS,
    Signal.SIGTRAP,
  ];
  if (faults.includes(info.signal) && info.code > 0) {
    view.setBigUint64(16, info.value, true);
    return;
  }
  view.setInt32(16, info.pid, true);
  view.setInt32(20, info.uid, true);
  view.setBigUint64(24, info.value, true);
}
