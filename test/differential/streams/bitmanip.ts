import type { Draw } from '../draw';
import { references } from '../references';
import { standard, withNewer, type Target } from '../target';
import { plainProfile, type Group, type Stream } from '../program';

type Shape = 'register' | 'unary' | 'shift64' | 'shift32';

const zbaRows: readonly (readonly [string, Shape])[] = [
  ['add.uw', 'register'], ['sh1add', 'register'], ['sh2add', 'register'], ['sh3add', 'register'],
  ['sh1add.uw', 'register'], ['sh2add.uw', 'register'], ['sh3add.uw', 'register'], ['slli.uw', 'shift64'],
]; // prettier-ignore

const zbbRows: readonly (readonly [string, Shape])[] = [
  ['andn', 'register'], ['orn', 'register'], ['xnor', 'register'], ['clz', 'unary'], ['clzw', 'unary'], ['ctz', 'unary'],
  ['ctzw', 'unary'], ['cpop', 'unary'], ['cpopw', 'unary'], ['max', 'register'], ['maxu', 'register'], ['min', 'register'],
  ['minu', 'register'], ['sext.b', 'unary'], ['sext.h', 'unary'], ['zext.h', 'unary'], ['rol', 'register'],
  ['rolw', 'register'], ['ror', 'register'], ['rorw', 'register'], ['rori', 'shift64'], ['roriw', 'shift32'],
  ['orc.b', 'unary'], ['rev8', 'unary'],
]; // prettier-ignore

const zbsRows: readonly (readonly [string, Shape])[] = [
  ['bclr', 'register'], ['bext', 'register'], ['binv', 'register'], ['bset', 'register'],
  ['bclri', 'shift64'], ['bexti', 'shift64'], ['binvi', 'shift64'], ['bseti', 'shift64'],
]; // prettier-ignore

const zbcRows: readonly (readonly [string, Shape])[] = [
  ['clmul', 'register'], ['clmulh', 'register'], ['clmulr', 'register'],
]; // prettier-ignore

const zbkbRows: readonly (readonly [string, Shape])[] = [
  ['pack', 'register'], ['packh', 'register'], ['packw', 'register'], ['brev8', 'unary'], ['rev8', 'unary'],
  ['andn', 'register'], ['orn', 'register'], ['xnor', 'register'], ['rol', 'register'], ['rolw', 'register'],
  ['ror', 'register'], ['rorw', 'register'], ['rori', 'shift64'], ['roriw', 'shift32'],
]; // prettier-ignore

const zicondRows: readonly (readonly [string, Shape])[] = [
  ['czero.eqz', 'register'],
  ['czero.nez', 'register'],
];

const lastOperand: Record<Shape, (draw: Draw) => string> = {
  register: (draw) => `, ${draw.rs()}`,
  unary: () => '',
  shift64: (draw) => `, ${draw.shift(64)}`,
  shift32: (draw) => `, ${draw.shift(32)}`,
};

function stream(
  name: string,
  rows: readonly (readonly [string, Shape])[],
  target: Target = standard,
): Stream {
  return {
    name,
    target,
    length: 150,
    profile: () => plainProfile,
    group(draw): Group {
      if (draw.random.chance(0.25)) return [draw.load64(draw.target())];
      const [mnemonic, shape] = draw.random.pick(rows);
      if (mnemonic === 'ctzw') {
        // See `legal-differences.ts`: the low word must not be zero.
        const source = draw.target();
        return [`bseti ${source}, ${source}, ${draw.random.below(32)}`, `ctzw ${draw.rd()}, ${source}`];
      }
      return [`${mnemonic} ${draw.rd()}, ${draw.rs()}${lastOperand[shape](draw)}`];
    },
  };
}

export const zba = stream('zba', zbaRows);
export const zbb = stream('zbb', zbbRows);
export const zbs = stream('zbs', zbsRows);
export const zbc = stream('zbc', zbcRows, withNewer('zbc'));
/** Alone: what it shares with Zbb must be there without it. */
export const zbkb = stream('zbkb', zbkbRows, { reference: references.newer, extensions: ['zbkb'] });
export const zicond = stream('zicond', zicondRows, withNewer('zicond'));
