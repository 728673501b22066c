import type { Draw } from '../draw';
import { plainProfile, type Group, type Mode, type Stream } from '../program';
import { withNewer } from '../target';
import { arithmetic } from './integer';
import { ascend, borrowed, descend } from './privileged';

/** What M-mode grants the others, and they may look at. */
const registers = [
  'menvcfg', 'senvcfg', 'mstateen0', 'mstateen1', 'mstateen2', 'mstateen3',
  '0x10c', '0x10d', '0x10e', '0x10f', 'stimecmp', '0xda0', '0x747', '0x7a8', 'mcounteren', 'scounteren',
] as const; // prettier-ignore

const all = (1n << 64n) - 1n;

/** See `legal-differences.ts` for the bits that are left out. */
const masks = {
  menvcfg: all & ~(0x1fn << 56n) & ~0xf0n,
  senvcfg: all & ~0xf0n,
  mstateen0: all & ~(0x3fn << 56n),
  mstateen1: all,
  mstateen2: all,
  mstateen3: all,
  satp: all,
  mcounteren: 7n,
  scounteren: 7n,
} as const;

function grant(draw: Draw): Group {
  const register = draw.target();
  const [csr, bits] = draw.random.pick([
    ['menvcfg', 1n << 63n],
    ['menvcfg', 1n],
    ['mcounteren', 2n],
    ['mstateen0', 1n << 62n],
    ...[0, 1, 2, 3].map((n) => [`mstateen${n}`, 1n << 63n] as const),
  ] as const);
  return [
    ...ascend,
    `li ${register}, ${BigInt.asIntN(64, bits)}`,
    `${draw.random.pick(['csrs', 'csrs', 'csrc'])} ${csr}, ${register}`,
    `csrr ${draw.target()}, ${csr}`,
  ];
}

function access(draw: Draw): Group {
  const csr = draw.random.pick(registers);
  // A read with CSRRS: stimecmp and the grants keep what they have.
  const choice = draw.random.below(4);
  if (choice === 0 && csr === 'senvcfg') return [`csrrwi ${draw.rd()}, senvcfg, ${draw.random.below(2)}`];
  if (choice === 1 && csr.startsWith('0x10')) return [`csrrsi ${draw.rd()}, ${csr}, 1`];
  return [`csrrs ${draw.rd()}, ${csr}, x0`];
}

export const environment: Stream = {
  name: 'environment',
  target: withNewer('svpbmt', 'svade', 'svadu', 'smstateen', 'svinval'),
  length: 100,
  profile: (random) => ({ ...plainProfile, mode: random.pick<Mode>([3, 1, 0]) }),
  group(draw) {
    const choice = draw.random.below(20);
    if (choice < 5) return grant(draw);
    if (choice < 8) return descend(draw, draw.random.pick<Mode>([0, 1, 1]));
    if (choice < 10) return [...ascend, ...borrowed(draw, masks)];
    return choice < 18 ? access(draw) : [arithmetic(draw)];
  },
};
