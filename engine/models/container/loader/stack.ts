/**
 * A new program's stack. System V ABI, "Process Initialization":
 *
 *   sp -> argc, argv[0] .. NULL, envp[0] .. NULL, auxv pairs .. AT_NULL, padding, random bytes, strings
 */
import type { UserMemory } from '../mm/user-memory';

/** Types of the auxiliary vector, getauxval(3). */
export const At = {
  NULL: 0, PHDR: 3, PHENT: 4, PHNUM: 5, PAGESZ: 6, BASE: 7, FLAGS: 8, ENTRY: 9, UID: 11, EUID: 12, GID: 13, EGID: 14,
  HWCAP: 16, CLKTCK: 17, SECURE: 23, RANDOM: 25, EXECFN: 31, MINSIGSTKSZ: 51,
} as const; // prettier-ignore

export interface StackContents {
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
  readonly executable: Uint8Array;
  readonly random: Uint8Array;
  /** Type and value, without RANDOM, EXECFN and NULL. */
  readonly auxiliary: readonly (readonly [number, number])[];
}

export interface BuiltStack {
  readonly sp: number;
  readonly auxiliary: Uint8Array;
}

/** @throws Errno EFAULT where the stack's memory does not suffice */
export function buildStack(memory: UserMemory, top: number, contents: StackContents): BuiltStack {
  let at = top - 8;
  const place = (bytes: Uint8Array): number => {
    const terminated = new Uint8Array(bytes.length + 1);
    terminated.set(bytes);
    at -= terminated.length;
    memory.write(at, terminated);
    return at;
  };
  const executable = place(contents.executable);
  const envp = contents.envp.map(place);
  const argv = contents.argv.map(place);
  at -= 16;
  const random = at - (at % 16);
  memory.write(random, contents.random);
  const auxiliary = [
    ...contents.auxiliary,
    [At.RANDOM, random],
    [At.EXECFN, executable],
    [At.NULL, 0],
  ] as const;
  const words = [argv.length, ...argv, 0, ...envp, 0, ...auxiliary.flat()];
  const sp = Math.floor((random - words.length * 8) / 16) * 16;
  const image = new BigUint64Array(words.map(BigInt));
  const bytes = new Uint8Array(image.buffer);
  memory.write(sp, bytes);
  return { sp, auxiliary: bytes.slice(bytes.length - auxiliary.length * 16) };
}
