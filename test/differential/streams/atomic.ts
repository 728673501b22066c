import type { Draw } from '../draw';
import { plainProfile, type Group, type Stream } from '../program';
import { arithmetic } from './integer';

const operations = ['swap', 'add', 'xor', 'and', 'or', 'min', 'max', 'minu', 'maxu'] as const;
const orderings = ['', '.aq', '.rl', '.aqrl'] as const;
const widths = [['w', 4], ['d', 8]] as const; // prettier-ignore

function readModifyWrite(draw: Draw): Group {
  const [width, size] = draw.random.pick(widths);
  const { setup, base } = draw.address(size, 0.05);
  return [
    ...setup,
    `amo${draw.random.pick(operations)}.${width}${draw.random.pick(orderings)} ${draw.rd()}, ${draw.rs()}, (${base})`,
  ];
}

/**
 * Only what the manual decides: an SC right after its LR succeeds, an SC
 * without a reservation and a second SC fail. Stores between LR and SC are a
 * row of `legal-differences.ts`.
 */
function reserved(draw: Draw): Group {
  const { random } = draw;
  const [width, size] = random.pick(widths);
  const { setup, base } = draw.address(size);
  const sc = (): string => `sc.${width}${random.pick(orderings)} ${draw.rd()}, ${draw.rs()}, (${base})`;
  // The loaded value must not overwrite the address.
  const lr = `lr.${width}${random.pick(['', '.aq', '.aqrl'])} ${random.pick(['x0', 's9', 's9', 's9'])}, (${base})`;
  const keep = (line: string): boolean => !line.split(/[ ,]+/)[1]?.match(`^${base}$`);
  const filler = Array.from({ length: random.below(3) }, () => arithmetic(draw)).filter(keep);
  switch (random.below(5)) {
    case 0:
      return [...setup, sc()];
    case 1:
      return random.chance(0.3)
        ? [...setup, `addi ${base}, ${base}, ${random.between(1, size - 1)}`, lr]
        : [...setup, lr];
    case 2: {
      const first = sc();
      return keep(first) ? [...setup, lr, ...filler, first, sc()] : [...setup, lr, ...filler, first];
    }
    default:
      return [...setup, lr, ...filler, sc()];
  }
}

export const a: Stream = {
  name: 'a',
  length: 120,
  profile: () => plainProfile,
  group(draw) {
    const choice = draw.random.below(10);
    if (choice < 2) return [draw.load64(draw.target())];
    return choice < 7 ? readModifyWrite(draw) : reserved(draw);
  },
};
