/** Sets of guest registers, as two masks of 32 bits. */
export interface RegisterSet {
  readonly x: number;
  readonly f: number;
}

export const none: RegisterSet = { x: 0, f: 0 };

export const union = (a: RegisterSet, b: RegisterSet): RegisterSet => ({ x: a.x | b.x, f: a.f | b.f });
export const without = (a: RegisterSet, b: RegisterSet): RegisterSet => ({ x: a.x & ~b.x, f: a.f & ~b.f });
export const equal = (a: RegisterSet, b: RegisterSet): boolean => a.x === b.x && a.f === b.f;
export const keyOf = ({ x, f }: RegisterSet): string => `${x},${f}`;

/** Calls `each` with every member's file and number. */
export function forEach(set: RegisterSet, each: (file: 'x' | 'f', number: number) => void): void {
  for (const file of ['x', 'f'] as const) {
    for (let rest = set[file]; rest !== 0; rest &= rest - 1) each(file, 31 - Math.clz32(rest & -rest));
  }
}
