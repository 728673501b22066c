import type { Draw } from '../draw';
import { region } from '../layout';
import { pte, testBase, testPages } from '../page-tables';
import {
  plainProfile,
  type Group,
  type Leaf,
  type Mode,
  type Paging,
  type Profile,
  type Stream,
} from '../program';
import type { Random } from '../random';
import { arithmetic, loadOrStore } from './integer';
import { delegable } from './privileged';

export function leaf(random: Random, mode: Mode): Leaf {
  const frame = random.pick<Leaf['frame']>([
    0,
    1,
    2,
    3,
    4,
    5,
    0,
    1,
    2,
    3,
    'executable',
    'executable',
    'table',
  ]);
  const maybe = (bit: bigint, probability: number): bigint => (random.chance(probability) ? bit : 0n);
  const writable = typeof frame === 'number' ? maybe(pte.W, 0.7) : 0n;
  const executable = frame === 'executable' ? maybe(pte.X, 0.8) : 0n;
  // See `legal-differences.ts`: outside U-mode no page is both U and X.
  const user = mode !== 0 && executable !== 0n ? 0n : maybe(pte.U, 0.6);
  const reserved = random.chance(0.04) ? 1n << BigInt(random.between(54, 63)) : 0n;
  return {
    frame,
    flags:
      maybe(pte.V, 0.92) | maybe(pte.R, 0.85) | writable | executable | user | maybe(pte.G, 0.2) |
      maybe(pte.A, 0.7) | maybe(pte.D, 0.6) | (BigInt(random.below(4)) << 8n) | reserved, // prettier-ignore
  };
}

export function paging(random: Random, mode: Mode): Paging {
  const superpageBits = pte.R | pte.U | pte.G | pte.A;
  return {
    scheme: random.pick(['Sv39', 'Sv39', 'Sv48', 'Sv57'] as const),
    leaves: Array.from({ length: testPages }, () => leaf(random, mode)),
    superpage: pte.V | pte.R | (random.doubleWord() & superpageBits),
    pointerBits: random.chance(0.1) ? random.pick([pte.A, pte.D, pte.U, 1n << 54n]) : 0n,
  };
}

export function profile(random: Random): Profile {
  const mode = random.pick<Mode>([0, 1, 1, 3]);
  const delegates = mode !== 3 && random.chance(0.5);
  return {
    ...plainProfile,
    mode,
    mstatus: 0x6000n | (random.doubleWord() & 0xc0000n),
    compressed: !delegates && random.chance(0.5),
    medeleg: delegates ? random.doubleWord() & delegable : 0n,
    paging: paging(random, mode),
  };
}

export function address(draw: Draw, size: number): bigint {
  const { random } = draw;
  const choice = random.below(40);
  if (choice === 0) return random.doubleWord();
  if (choice === 1)
    return random.pick([
      0x4000000000n,
      0x7fffffff000n,
      0x800000000000n,
      0xffffffc000000000n,
      0x100000000n,
      0x140000000n,
    ]);
  if (choice < 5) return testBase + BigInt(random.between(1, 5) * 0x200000 + random.below(0x40000) * 8);
  const page = testBase + BigInt(random.below(testPages) * 4096);
  if (size > 1 && random.chance(0.15)) return page + 4096n - BigInt(random.between(1, size - 1));
  return page + BigInt(random.below(4096 / size) * size);
}

const accesses = [
  ['lb', 1], ['lbu', 1], ['lh', 2], ['lhu', 2], ['lw', 4], ['lwu', 4], ['ld', 8], ['sb', 1], ['sh', 2], ['sw', 4], ['sd', 8], ['sd', 8],
] as const; // prettier-ignore
const atomics = ['amoadd.d', 'amoswap.d', 'amoor.w', 'amomaxu.w', 'lr.d', 'lr.w'] as const;

/** A data access through the random leaves. */
export function access(draw: Draw): Group {
  const { random } = draw;
  const base = draw.target();
  if (random.chance(0.12)) {
    const mnemonic = random.pick(atomics);
    const size = mnemonic.endsWith('d') ? 8 : 4;
    const operand = mnemonic.startsWith('lr') ? '' : `${draw.rs()}, `;
    const aligned = address(draw, size) & ~BigInt(size - 1);
    return [`li ${base}, ${BigInt.asIntN(64, aligned)}`, `${mnemonic} ${draw.rd()}, ${operand}(${base})`];
  }
  const [mnemonic, size] = random.pick(accesses);
  const offset = random.chance(0.5) ? 0 : random.between(-2048, 2047);
  const target = BigInt.asIntN(64, address(draw, size) - BigInt(offset));
  return [
    `li ${base}, ${target}`,
    `${mnemonic} ${mnemonic.startsWith('s') ? draw.rs() : draw.rd()}, ${offset}(${base})`,
  ];
}

/** In M-mode the same access with another mode's rights. */
export function modifiedPrivilege(draw: Draw): Group {
  const register = draw.target();
  const mode = draw.random.pick([0, 0x800]);
  return [
    `li ${register}, 0x1800`,
    `csrc mstatus, ${register}`,
    `li ${register}, ${0x20000 | mode}`,
    `csrs mstatus, ${register}`,
    ...access(draw),
    `li ${register}, 0x20000`,
    `csrc mstatus, ${register}`,
  ];
}

/** The executable frame is full of `jr s11`. */
function jump(draw: Draw): Group {
  const base = draw.target();
  const target = BigInt.asIntN(64, address(draw, 2));
  return ['lla s11, 1f', `li ${base}, ${target}`, `jalr ${draw.rd()}, 0(${base})`, '1:'];
}

/** s10 + the distance to a leaf entry, which the identity mapping reaches. */
function leafEntry(draw: Draw, register: string): Group {
  const distance = Number(region.leafTable - region.data) + draw.random.below(testPages) * 8;
  return [`li ${register}, ${distance}`, `add ${register}, ${register}, s10`];
}

export function changeEntry(
  draw: Draw,
  fences: readonly Group[] = [['sfence.vma'], ['sfence.vma x0, x0']],
): Group {
  const [pointer, value] = draw.random.pick([['x5', 'x6'], ['x12', 'x13']] as const); // prettier-ignore
  const flips = draw.random.pick([1, 2, 4, 6, 16, 64, 128, 192]);
  return [
    ...leafEntry(draw, pointer),
    `ld ${value}, 0(${pointer})`,
    `xori ${value}, ${value}, ${flips}`,
    `sd ${value}, 0(${pointer})`,
    ...draw.random.pick(fences),
  ];
}

export const pagingStream: Stream = {
  name: 'paging',
  length: 100,
  profile,
  group(draw) {
    const { random, profile: start } = draw;
    const choice = random.below(20);
    if (choice < 11) return start.mode === 3 ? modifiedPrivilege(draw) : access(draw);
    if (choice < 13) return start.mode === 3 ? modifiedPrivilege(draw) : jump(draw);
    // U-mode could change entries but not fence: what follows would depend on the TLB.
    if (choice < 15) return start.mode === 0 ? access(draw) : changeEntry(draw);
    if (choice < 16) {
      const register = draw.target();
      return [...leafEntry(draw, register), `ld ${register}, 0(${register})`];
    }
    if (choice < 17) {
      const register = draw.target();
      const csr = start.mode === 3 ? 'mstatus' : 'sstatus';
      return [
        `li ${register}, ${random.pick([0x40000, 0x80000, 0xc0000])}`,
        `${random.pick(['csrs', 'csrc'])} ${csr}, ${register}`,
      ];
    }
    return choice < 18 ? loadOrStore(draw) : [arithmetic(draw)];
  },
};
