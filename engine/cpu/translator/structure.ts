/**
 * Control flow as WebAssembly has it: strongly connected components become
 * loops, everything else blocks in topological order. A loop is entered at its
 * header alone: other ways in leave the region (`cut`).
 */
import { type Region, targetsOf } from './region';

export type Item =
  | { readonly kind: 'block'; readonly block: number }
  | { readonly kind: 'loop'; readonly block: number; readonly items: readonly Item[] };

export interface Structure {
  readonly items: readonly Item[];
  /** Blocks that are loop headers. */
  readonly headers: ReadonlySet<number>;
  /** Block by the offset of its start. */
  readonly index: ReadonlyMap<number, number>;
  /** The successor of a block at an offset, when control may go there within the region. */
  successor(from: number, offset: number): number | undefined;
}

export function structure(region: Region): Structure {
  const { blocks } = region;
  const index = new Map(blocks.map(({ start }, i) => [start, i]));
  const cut = new Set<number>();
  const edge = (from: number, to: number): number => from * blocks.length + to;
  const headers = new Set<number>();
  const successor = (from: number, offset: number): number | undefined => {
    const to = index.get(offset);
    return to === undefined || cut.has(edge(from, to)) ? undefined : to;
  };
  const successors = (block: number): number[] =>
    targetsOf(blocks[block]!.ending)
      .map((offset) => successor(block, offset))
      .filter((to) => to !== undefined);

  const build = (nodes: ReadonlySet<number>, entry: number): Item[] => {
    const within = (block: number): number[] =>
      successors(block).filter((to) => nodes.has(to) && to !== entry);
    return components(entry, within).map((component): Item => {
      const [first] = component as [number];
      const inside = new Set(component);
      const loops = component.length > 1 || within(first).includes(first);
      if (!loops) return { kind: 'block', block: first };
      const header = component.includes(entry) ? entry : headerOf(component, inside, nodes);
      headers.add(header);
      for (const from of nodes) {
        if (inside.has(from)) continue;
        for (const to of successors(from)) if (inside.has(to) && to !== header) cut.add(edge(from, to));
      }
      return { kind: 'loop', block: header, items: build(inside, header) };
    });
  };
  const headerOf = (
    component: readonly number[],
    inside: ReadonlySet<number>,
    nodes: ReadonlySet<number>,
  ): number => {
    const ways = new Set<number>();
    for (const from of nodes)
      if (!inside.has(from)) for (const to of successors(from)) if (inside.has(to)) ways.add(to);
    return component
      .filter((block) => ways.has(block))
      .sort((a, b) => blocks[a]!.start - blocks[b]!.start)[0]!;
  };

  const all = new Set(blocks.keys());
  // The entry may itself be the header of a loop: it is looked at from outside first.
  const items = topLevel(build, all, successors, headers);
  return { items, headers, index, successor };
}

/** As `build`, but edges to the entry count: they make it the header of a loop. */
function topLevel(
  build: (nodes: ReadonlySet<number>, entry: number) => Item[],
  all: ReadonlySet<number>,
  successors: (block: number) => number[],
  headers: Set<number>,
): Item[] {
  const reaching = components(0, successors).find((component) => component.includes(0))!;
  if (reaching.length === 1 && !successors(0).includes(0)) return build(all, 0);
  headers.add(0);
  // Everything lies in the loop of the entry: what does not come back merely leaves it at its end.
  return [{ kind: 'loop', block: 0, items: build(all, 0) }];
}

/** Strongly connected components of what `entry` reaches, in topological order (Tarjan). */
function components(entry: number, successors: (node: number) => number[]): number[][] {
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
  visit(entry);
  return found.reverse();
}
