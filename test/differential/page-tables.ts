import { codeBase, patternBase, region, supervisorAlias } from './layout';
import type { Leaf, Paging, Program } from './program';

/** Bits of a page-table entry. Privileged ISA manual, "Sv39: Virtual-Memory System". */
export const pte = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;

/** Where the 64 random leaves are mapped. */
export const testBase = 0x40000000n;
export const testPages = 64;

const entry = (physical: bigint, flags: bigint): bigint => ((physical >> 12n) << 10n) | flags;

function leafFrame(base: bigint, leaf: Leaf): bigint {
  if (leaf.frame === 'executable') return base + region.executableFrame;
  if (leaf.frame === 'table') return base + region.leafTable;
  return base + region.frames + BigInt(leaf.frame) * 0x1000n;
}

const modes = { Sv39: 8n, Sv48: 9n, Sv57: 10n } as const;

export function satpOf(base: bigint, paging: Paging): bigint {
  const root = { Sv39: region.rootTable, Sv48: region.root48, Sv57: region.root57 }[paging.scheme];
  return (modes[paging.scheme] << 60n) | ((base + root) >> 12n);
}

/** The program's page tables as [offset in the region, 64-bit word]. */
export function pageTables(base: bigint, program: Program, paging: Paging): [bigint, bigint][] {
  const all = pte.V | pte.R | pte.W | pte.X | pte.A | pte.D;
  const user = program.profile.mode === 0 ? pte.U : 0n;
  const words: [bigint, bigint][] = [];
  const root = (index: bigint, value: bigint): unknown => words.push([region.rootTable + index * 8n, value]);
  const middle = (index: bigint, value: bigint): unknown =>
    words.push([region.middleTable + index * 8n, value]);

  root(testBase >> 30n, entry(base + region.middleTable, pte.V | paging.pointerBits));
  root(codeBase >> 30n, entry(codeBase, all | user));
  root((codeBase + supervisorAlias) >> 30n, entry(codeBase, all));
  root(4n, entry(codeBase + 0x200000n, all | user)); // misaligned gigapage
  root(5n, entry(codeBase, pte.V | pte.W | pte.A | pte.D)); // W without R is reserved
  middle(0n, entry(base + region.leafTable, pte.V));
  middle(1n, entry(patternBase, paging.superpage));
  middle(2n, entry(patternBase + 0x1000n, paging.superpage)); // misaligned superpage
  middle(3n, entry(base + region.leafTable, pte.V | pte.U)); // reserved bit of a pointer
  middle(4n, entry(patternBase, paging.superpage | pte.G));
  paging.leaves.forEach((leaf, index) => {
    words.push([region.leafTable + BigInt(index) * 8n, entry(leafFrame(base, leaf), leaf.flags)]);
  });
  words.push([region.root48, entry(base + region.rootTable, pte.V)]);
  words.push([region.root57, entry(base + region.root48, pte.V)]);
  return words;
}
