/** The page that signal handlers return to: what the vDSO is for on Linux, at a fixed address and without an ELF image. */
import { TASK_SIZE } from './address-space';

/** Above the stack, below the end of user space. */
export const TRAMPOLINE = TASK_SIZE - 2 * 4096;

/** li a7, 139 (rt_sigreturn); ecall */
export const trampolineCode = Uint8Array.from([0x93, 0x08, 0xb0, 0x08, 0x73, 0x00, 0x00, 0x00]);
