import { fixedPoint } from '../../../../engine/isa/v/fixed-point';
import { floatingPoint } from '../../../../engine/isa/v/floating-point';
import { integer } from '../../../../engine/isa/v/integer';
import { masks } from '../../../../engine/isa/v/masks';
import { floatPermutations, permutations } from '../../../../engine/isa/v/permutations';
import { floatReductions, reductions } from '../../../../engine/isa/v/reductions';
import type { Instruction } from '../../../../engine/isa/instruction';
import type { Draw } from '../../draw';
import { plainProfile, type Group, type Profile, type Stream } from '../../program';
import type { Random } from '../../random';
import { withNewer } from '../../target';
import { doubleCorners, singleCorners } from '../../values';
import { configure, configureAnyhow, control } from './configuration';
import { instance, register } from './operands';

/** QEMU 7.2 knows vectors, but its log does not show them. */
export const target = withNewer('v', 'zvfh');

/** Floating point and vectors on, in any of the three states; now and then one of them off. */
export function profile(random: Random): Profile {
  const state = (): bigint => (random.chance(0.97) ? BigInt(random.between(1, 3)) : 0n);
  return { ...plainProfile, mstatus: (state() << 13n) | (state() << 9n) };
}

const half = (random: Random): bigint =>
  BigInt(
    random.chance(0.5)
      ? random.pick([
          0, 0x8000, 1, 0x3ff, 0x400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x7d00, 0x3c00, 0xbc00,
        ] as const)
      : random.chance(0.5)
        ? (random.word() & 0x83ff) | (random.between(8, 22) << 10)
        : random.word() & 0xffff,
  );
const single = (random: Random): bigint =>
  BigInt(
    random.chance(0.5)
      ? random.pick(singleCorners)
      : random.chance(0.5)
        ? ((random.word() & 0x807fffff) | (random.between(100, 150) << 23)) >>> 0
        : random.word(),
  );
const double = (random: Random): bigint =>
  random.chance(0.5)
    ? random.pick(doubleCorners)
    : random.chance(0.5)
      ? (random.doubleWord() & 0x800fffffffffffffn) | (BigInt(random.between(1000, 1060)) << 52n)
      : random.doubleWord();

/** Floating-point numbers of one width, as many as fit a double word. */
function floats(random: Random, width: number): bigint {
  if (width === 3) return double(random);
  const count = 8 >> width;
  const bits = BigInt(8 << width);
  const one = width === 2 ? single : half;
  return Array.from({ length: count }, () => one(random)).reduce((all, each) => (all << bits) | each, 0n);
}

/** New values in a register or a group: what operations leave soon is all zeros, all ones, or not a number. */
export function fresh(draw: Draw, widths: readonly number[]): Group {
  const { random } = draw;
  const { setup, base } = draw.address(8);
  const value = draw.target();
  const words = widths.map((width) => BigInt.asIntN(64, floats(random, width)));
  return random.pick<Group>([
    [...setup, 'csrwi vstart, 0', `vl1re8.v v${random.below(32)}, (${base})`],
    [...setup, 'csrwi vstart, 0', `vl2re8.v v${2 * random.below(16)}, (${base})`],
    [...setup, 'csrwi vstart, 0', `vl8re8.v v${8 * random.below(4)}, (${base})`],
    [draw.load64(value), `vmv.v.x ${register(draw, 3, false)}, ${value}`],
    [draw.load64(value), `vslide1down.vx v${random.below(32)}, v${random.below(32)}, ${value}`],
    ...words.map((word) => [`li ${value}, ${word}`, `sd ${value}, ${draw.dataOffset(8, 0)}(s10)`]),
    ...words.map((word) => [`li ${value}, ${word}`, `fmv.d.x ${draw.fr()}, ${value}`]),
  ]);
}

function stream(
  name: string,
  rows: readonly Instruction[],
  sews: readonly number[],
  floatWidths: readonly number[],
): Stream {
  return {
    name,
    target,
    // Long, since a reset is 170 instructions.
    length: 220,
    profile,
    group(draw) {
      const choice = draw.random.below(100);
      if (choice < 9) return configure(draw, sews);
      if (choice < 10) return [...configureAnyhow(draw), ...configure(draw, sews)];
      if (choice < 15) return control(draw);
      if (choice < 33) return fresh(draw, floatWidths);
      return [instance(draw, draw.random.pick(rows))];
    },
  };
}

const integers = [0, 1, 2, 3] as const;
const formats = [2, 2, 2, 3, 3, 1, 1, 1, 0] as const;

export const arithmeticStreams: readonly Stream[] = [
  stream('v-integer', integer, integers, [2]),
  stream('v-fixed-point', fixedPoint, integers, [2]),
  stream('v-floating-point', floatingPoint, formats, [1, 1, 2, 2, 3]),
  stream('v-reductions', [...reductions, ...floatReductions], [0, 1, 1, 2, 2, 3, 3], [1, 2, 3]),
  stream('v-masks', masks, integers, [2]),
  stream('v-permutations', [...permutations, ...floatPermutations], [0, 1, 2, 2, 3, 3], [1, 2, 3]),
];

export const configurationStream: Stream = {
  name: 'v-configuration',
  target,
  length: 110,
  profile,
  group(draw) {
    const choice = draw.random.below(10);
    if (choice < 3) return configure(draw, integers);
    if (choice < 6) return configureAnyhow(draw);
    if (choice < 9) return control(draw);
    return [instance(draw, draw.random.pick(integer))];
  },
};

/** A word of the major opcode, but for what QEMU lets pass: see `toleratedByQemu`. */
function drawWord(random: Random): number {
  for (;;) {
    const word = (random.word() & ~0x7f) | 0x57;
    const [vm, vs2, vs1] = [(word >>> 25) & 1, (word >>> 20) & 31, (word >>> 15) & 31];
    const compresses = word >>> 26 === 0b010111 && ((word >>> 12) & 7) === 2;
    if (!compresses && (vm === 1 || (vs2 !== 0 && vs1 !== 0))) return word;
  }
}

/** Words of the major opcode: reserved encodings among them. */
export const reservedStream: Stream = {
  name: 'v-reserved',
  target,
  length: 110,
  profile,
  group(draw) {
    const { random } = draw;
    const choice = random.below(100);
    if (choice < 10) return configure(draw, integers);
    if (choice < 14) return control(draw);
    if (choice < 24) return fresh(draw, [2]);
    const word = drawWord(random);
    // Results in integer registers must not hit those of the rig.
    const toInteger = ((word >>> 12) & 7) === 7 || (word >>> 26 === 0b010000 && ((word >>> 12) & 7) === 2);
    const safe = toInteger ? (word & ~(0x1f << 7)) | (random.between(1, 23) << 7) : word;
    return [`.4byte 0x${(safe >>> 0).toString(16)}`];
  },
};
