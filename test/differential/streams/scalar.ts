import type { Draw } from '../draw';
import { plainProfile, type Group, type Stream } from '../program';
import { withNewer } from '../target';
import { arithmetic, loadOrStore } from './integer';

const orderings = ['', '.aq', '.rl', '.aqrl'] as const;

/** x10 and x11, x12 and x13, ...: pairs whose members are both free. */
const pairs = [6, 12, 14, 16, 18, 28] as const;

/** Half of the comparisons are made to hold: what is expected is loaded first. */
function compareAndSwap(draw: Draw): Group {
  const { random } = draw;
  const [width, size] = random.pick([['w', 4], ['d', 8]] as const); // prettier-ignore
  const { setup, base } = draw.address(size, 0.05);
  const expected = draw.rd();
  const load = random.chance(0.5) && expected !== base ? [`l${width} ${expected}, 0(${base})`] : [];
  return [...setup, ...load, `amocas.${width}${random.pick(orderings)} ${expected}, ${draw.rs()}, (${base})`];
}

function compareAndSwapPair(draw: Draw): Group {
  const { random } = draw;
  const { setup, base } = draw.address(16, 0.1);
  const [expected, operand] = [random.pick([...pairs, 0]), random.pick([...pairs, 0])];
  const clash = base === `x${expected}` || base === `x${expected + 1}`;
  const load =
    random.chance(0.6) && !clash ? [`ld x${expected}, 0(${base})`, `ld x${expected + 1}, 8(${base})`] : [];
  return [
    ...setup,
    ...(expected === 0 ? [`sd x0, 0(${base})`, `sd x0, 8(${base})`] : load),
    `amocas.q${random.pick(orderings)} x${expected}, x${operand}, (${base})`,
  ];
}

/** Odd registers are reserved. */
const oddPair = (draw: Draw): string => {
  const word = 0x2800402f | (draw.random.word() & 0x07ff8f80);
  return `.insn 4, 0x${((word | draw.random.pick([1 << 7, 1 << 20, (1 << 7) | (1 << 20)])) >>> 0).toString(16)}`;
};

export const zacas: Stream = {
  name: 'zacas',
  target: withNewer('zacas'),
  stepwise: 'QEMU 11.1 loses the high half of constants in a block with AMOCAS.Q',
  length: 110,
  profile: (random) => ({ ...plainProfile, mode: random.pick([3, 3, 1, 0]) }),
  group(draw) {
    const choice = draw.random.below(20);
    if (choice < 3) return [draw.load64(draw.target())];
    if (choice < 5) return loadOrStore(draw);
    if (choice < 12) return compareAndSwap(draw);
    return choice < 19 ? compareAndSwapPair(draw) : [oddPair(draw)];
  },
};

export const zawrs: Stream = {
  name: 'zawrs',
  target: withNewer('zawrs'),
  length: 60,
  // See `legal-differences.ts`: no TW below M-mode.
  profile: (random) => ({
    ...plainProfile,
    ...random.pick([{ mode: 3, mstatus: 0x206000n }, { mode: 1 }, { mode: 0 }] as const),
  }),
  group(draw) {
    const { setup, base } = draw.address(8);
    const wait = draw.random.pick(['wrs.nto', 'wrs.sto']);
    return draw.random.chance(0.5)
      ? [...setup, `lr.d s9, (${base})`, wait]
      : [...setup, `lr.d s9, (${base})`, `sc.d ${draw.rd()}, ${draw.rs()}, (${base})`, wait];
  },
};

export const mayBe: Stream = {
  name: 'zimop and zcmop',
  target: withNewer('zimop', 'zcmop'),
  length: 120,
  profile: () => ({ ...plainProfile, compressed: true }),
  group(draw) {
    const { random } = draw;
    switch (random.below(4)) {
      case 0:
        return [`mop.r.${random.below(32)} ${draw.rd()}, ${draw.rs()}`];
      case 1:
        return [`mop.rr.${random.below(8)} ${draw.rd()}, ${draw.rs()}, ${draw.rs()}`];
      case 2:
        return [`c.mop.${2 * random.below(8) + 1}`];
      default:
        return [arithmetic(draw)];
    }
  },
};

const unary = ['c.zext.b', 'c.sext.b', 'c.zext.h', 'c.sext.h', 'c.zext.w', 'c.not'] as const;
const compressedAccesses = [
  ['c.lbu', 3], ['c.lhu', 2], ['c.lh', 2], ['c.sb', 3], ['c.sh', 2],
] as const; // prettier-ignore

export const zcb: Stream = {
  name: 'zcb',
  target: withNewer('zcb'),
  length: 130,
  profile: (random) => ({ ...plainProfile, compressed: true, mode: random.pick([3, 1, 0]) }),
  group(draw) {
    const { random } = draw;
    const choice = random.below(10);
    if (choice < 2) return [draw.load64(draw.rc())];
    if (choice < 5) return [`${random.pick(unary)} ${draw.rc()}`];
    if (choice < 6) return [`c.mul ${draw.rc()}, ${draw.rc()}`];
    const [mnemonic, most] = random.pick(compressedAccesses);
    const base = draw.rc();
    const offset = most === 3 ? random.below(4) : 2 * random.below(2);
    return [`addi ${base}, s10, ${draw.dataOffset(1)}`, `${mnemonic} ${draw.rc()}, ${offset}(${base})`];
  },
};

export const hints: Stream = {
  name: 'hints',
  target: withNewer('zihintntl', 'zihintpause', 'zicbop'),
  length: 100,
  profile: (random) => ({ ...plainProfile, mode: random.pick([3, 1, 0]), compressed: random.chance(0.5) }),
  group(draw) {
    const { random } = draw;
    const locality = random.pick(['p1', 'pall', 's1', 'all']);
    switch (random.below(5)) {
      case 0:
        return [`ntl.${locality}`, ...loadOrStore(draw)];
      case 1:
        return ['.option push', '.option rvc', `c.ntl.${locality}`, '.option pop'];
      case 2:
        return ['pause'];
      case 3:
        return [`prefetch.${random.pick(['i', 'r', 'w'])} ${32 * random.between(-64, 63)}(${draw.rs()})`];
      default:
        return [arithmetic(draw)];
    }
  },
};
