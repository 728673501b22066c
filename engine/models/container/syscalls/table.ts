/** The shape of the system call table: one row a call. */
import type { Kernel } from '../kernel/kernel';
import type { Argument } from './arguments';

/** What a call gives back: a number for a0, or nothing when it has set the registers itself. */
export type Result = number | bigint | void;

export type Support = 'full' | 'partial';

export interface SystemCall {
  readonly number: number;
  readonly name: string;
  readonly family: string;
  readonly arguments: readonly Argument<unknown>[];
  readonly run: (kernel: Kernel, registers: readonly bigint[]) => Result;
  readonly support: Support;
  /** What is missing, when the support is partial. */
  readonly caveat: string | undefined;
}

type Values<A extends readonly Argument<unknown>[]> = {
  [I in keyof A]: A[I] extends Argument<infer T> ? T : never;
};

/** @param caveat what of the call is missing; absent: nothing that a program would notice */
export function call<const A extends readonly Argument<unknown>[]>(
  number: number,
  name: string,
  kinds: A,
  handler: (kernel: Kernel, ...values: Values<A>) => Result,
  caveat?: string,
): Omit<SystemCall, 'family'> {
  return {
    number,
    name,
    arguments: kinds,
    run: (kernel, registers) =>
      handler(kernel, ...(kinds.map((kind, i) => kind.decode(registers[i] as bigint, kernel)) as Values<A>)),
    support: caveat === undefined ? 'full' : 'partial',
    caveat,
  };
}

export const family = (name: string, rows: readonly Omit<SystemCall, 'family'>[]): readonly SystemCall[] =>
  rows.map((row) => ({ ...row, family: name }));
