import { pte, testBase, testPages } from '../page-tables';
import type { Draw } from '../draw';
import type { Group, Leaf, Mode, Profile, Stream } from '../program';
import type { Random } from '../random';
import { withNewer } from '../target';
import { arithmetic, loadOrStore } from './integer';
import { access, changeEntry, leaf, modifiedPrivilege, profile as pagingProfile } from './paging';
import { ascend, descend } from './privileged';

/** Bits of menvcfg. Both Svade and Svadu are named, so that ADUE decides who sets A and D. */
const PBMTE = 1n << 62n;
const ADUE = 1n << 61n;

const N = 1n << 63n;

/** Frame 0 lies where a range of 64 KiB has to be encoded; such a range is the program's region, so it is not writable. */
function extendedLeaf(random: Random, mode: Mode): Leaf {
  const plain = leaf(random, mode);
  const type = random.chance(0.3) ? BigInt(random.below(4)) << 61n : 0n;
  if (!random.chance(0.2)) return { ...plain, flags: plain.flags | type };
  const flags = plain.flags & ~(pte.W | pte.X);
  return { frame: 0, flags: flags | N | type };
}

function profile(random: Random): Profile {
  const plain = pagingProfile(random);
  const leaves = Array.from({ length: testPages }, () => extendedLeaf(random, plain.mode));
  const pointerBits = random.chance(0.1)
    ? random.pick([pte.A, pte.D, pte.U, N, 1n << 61n, 1n << 62n, 1n << 54n])
    : 0n;
  return plain.paging ? { ...plain, paging: { ...plain.paging, leaves, pointerBits } } : plain;
}

/** In M-mode, then back to where the program was. */
function configure(draw: Draw): Group {
  const register = draw.target();
  const { mode } = draw.profile;
  return [
    ...(mode === 3 ? [] : ascend),
    `li ${register}, ${BigInt.asIntN(64, draw.random.pick([PBMTE, ADUE, PBMTE | ADUE]))}`,
    `${draw.random.pick(['csrs', 'csrs', 'csrc'])} menvcfg, ${register}`,
    `csrr ${draw.target()}, menvcfg`,
    'sfence.vma',
    ...(mode === 3 ? [] : descend(draw, mode)),
  ];
}

const fences: readonly Group[] = [
  ['sfence.vma'],
  ['sfence.w.inval', 'sinval.vma x0, x0', 'sfence.inval.ir'],
  // Of the present address space, by number.
  ['csrr s9, satp', 'slli s9, s9, 4', 'srli s9, s9, 48', 'sfence.w.inval', 'sinval.vma x0, s9', 'sfence.inval.ir', 'sfence.vma x0, s9', 'sfence.vma'],
]; // prettier-ignore

/** Nothing to order: each mode may execute it, or not. */
function fence(draw: Draw): Group {
  const address = draw.target();
  return [
    `li ${address}, ${testBase + BigInt(draw.random.below(testPages) * 4096)}`,
    draw.random.pick([
      'sfence.w.inval',
      'sfence.inval.ir',
      `sinval.vma ${address}, x0`,
      `sinval.vma ${address}, ${draw.rs()}`,
      `sfence.vma ${address}, ${draw.rs()}`,
    ]),
  ];
}

export const translation: Stream = {
  name: 'translation',
  target: withNewer('svnapot', 'svpbmt', 'svade', 'svadu', 'svinval'),
  length: 100,
  profile,
  group(draw) {
    const { random, profile: start } = draw;
    const choice = random.below(20);
    if (choice < 2) return configure(draw);
    if (choice < 3) return fence(draw);
    if (choice < 14) return start.mode === 3 ? modifiedPrivilege(draw) : access(draw);
    // U-mode could change entries but not fence: what follows would depend on the TLB.
    if (choice < 16) return start.mode === 0 ? access(draw) : changeEntry(draw, fences);
    return choice < 18 ? loadOrStore(draw) : [arithmetic(draw)];
  },
};
