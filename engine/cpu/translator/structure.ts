/**
 * Control flow as WebAssembly has it: strongly connected components become
 * loops, everything else blocks in topological order. A loop that is entered
 * at several blocks ("irreducible") begins with a jump to one of them, and
 * whoever goes to one says which.
 */
import { type Region, targetsOf } from './region';

export type Item =
  | { readonly kind: 'block'; readonly block: number }
  /** `entries`: blocks that control comes to from outside, or back to from inside. */
  | { readonly kind: 'loop'; readonly entries: readonly number[]; readonly items: readonly Item[] };

export interface Structure {
  readonly items: readonly Item[];
  /** Blocks at which loops are entered. */
  readonly headers: ReadonlySet<number>;
  /** Block by the offset of its start. */
  readonly index: ReadonlyMap<number, number>;
  /** Blocks that control may go to from each. */
  readonly successors: readonly (readonly number[])[];
}

export function structure({ blocks }: Region): Structure {
  const index = new Map(blocks.map(({ start }, i) => [start, i]));
  const successors = blocks.map(({ ending }) =>
    targetsOf(ending)
      .map((offset) => index.get(offset))
      .filter((to) => to !== undefined),
  );
  const headers = new Set<number>();

  const loop = (inside: ReadonlySet<number>, entries: readonly number[]): Item => {
    for (const entry of entries) headers.add(entry);
    return { kind: 'loop', entries, items: sequence(inside, entries) };
  };
  /** The items among `nodes` that `entries` reach without coming back to one of them. */
  const sequence = (nodes: ReadonlySet<number>, entries: readonly number[]): Item[] => {
    const within = (block: number): number[] =>
      successors[block]!.filter((to) => nodes.has(to) && !entries.includes(to));
    return components(entries, within).map((component): Item => {
      const [first] = component as [number];
      if (component.length === 1 && !within(first).includes(first)) return { kind: 'block', block: first };
      const inside = new Set(component);
      const ways = new Set<number>();
      for (const from of nodes) {
        if (!inside.has(from)) for (const to of within(from)) if (inside.has(to)) ways.add(to);
      }
      return loop(inside, [...ways]);
    });
  };

  const all = new Set(blocks.keys());
  const around = components([0], (block) => [...successors[block]!]).find((each) => each.includes(0))!;
  const comesBack = around.length > 1 || successors[0]!.includes(0);
  // What does not come back to the entry lies in its loop all the same, and merely leaves at its end.
  return { items: comesBack ? [loop(all, [0])] : sequence(all, [0]), headers, index, successors };
}

/** Strongly connected components of what the entries reach, in topological order (Tarjan). */
function components(entries: readonly number[], successors: (node: number) => number[]): number[][] {
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const onStack = new Set<number>();
  const found: number[][] = [];
  const visit = (node: number): void => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    stack.push(node);
    onStack.add(node);
    for (const next of successors(node)) {
      if (!order.has(next)) {
        visit(next);
        low.set(node, Math.min(low.get(node)!, low.get(next)!));
      } else if (onStack.has(next)) {
        low.set(node, Math.min(low.get(node)!, order.get(next)!));
      }
    }
    if (low.get(node) !== order.get(node)) return;
    const component: number[] = [];
    for (;;) {
      const member = stack.pop()!;
      onStack.delete(member);
      component.push(member);
      if (member === node) break;
    }
    found.push(component.reverse());
  };
  for (const entry of entries) if (!order.has(entry)) visit(entry);
  return found.reverse();
}
