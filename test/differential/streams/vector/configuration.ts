import type { Draw } from '../../draw';
import type { Group } from '../../program';

/** The vector type that a program has set last, as far as the generator knows. Logarithms: SEW in bytes, LMUL in registers. */
export interface VectorType {
  readonly sew: number;
  readonly lmul: number;
}

const types = new WeakMap<Draw, VectorType>();
export const typeOf = (draw: Draw): VectorType => types.get(draw) ?? { sew: 0, lmul: 0 };

const nameOf = ({ sew, lmul }: VectorType): string =>
  `e${8 << sew}, ${lmul < 0 ? `mf${1 << -lmul}` : `m${1 << lmul}`}`;

const policies = ['ta, ma', 'ta, mu', 'tu, ma', 'tu, mu'] as const;

function drawType(draw: Draw, sews: readonly number[]): VectorType {
  const sew = draw.random.pick(sews);
  const lmul = Math.max(sew - 3, draw.random.pick([-3, -2, -1, 0, 0, 0, 1, 1, 2, 3] as const));
  return { sew, lmul };
}

/** Sets a supported type and some vl. */
export function configure(draw: Draw, sews: readonly number[]): string[] {
  const { random } = draw;
  const type = drawType(draw, sews);
  types.set(draw, type);
  const text = `${nameOf(type)}, ${random.pick(policies)}`;
  const maximum = (16 >> type.sew) * 2 ** type.lmul;
  const target = draw.target();
  if (random.chance(0.4)) return [`vsetvli ${target}, x0, ${text}`];
  if (random.chance(0.3)) return [`vsetivli ${draw.rd()}, ${random.below(32)}, ${text}`];
  const length = random.chance(0.9) ? random.below(maximum + 2) : random.between(0, 300);
  return [`li ${target}, ${length}`, `vsetvli ${draw.rd()}, ${target}, ${text}`];
}

/** Any type, supported or not, and any length. */
export function configureAnyhow(draw: Draw): string[] {
  const { random } = draw;
  const type = draw.target();
  const value = random.pick([random.below(256), random.below(256), random.below(2048), random.word()]);
  types.delete(draw);
  return random.pick<string[]>([
    [`li ${type}, ${value}`, `vsetvl ${draw.rd()}, ${draw.rs()}, ${type}`],
    [`li ${type}, ${value}`, `vsetvl ${draw.rd()}, x0, ${type}`],
    [`li ${type}, -${value}`, `vsetvl ${draw.rd()}, ${draw.rs()}, ${type}`],
    [`vsetvli ${draw.rd()}, ${draw.rs()}, ${random.below(2048)}`],
    [`vsetivli ${draw.rd()}, ${random.below(32)}, ${random.below(1024)}`],
    [`vsetvli x0, x0, ${nameOf(drawType(draw, [0, 1, 2, 3]))}, ta, ma`],
  ]);
}

/** vstart as a trap may have left it, the fixed-point and floating-point modes, and what they accrue. */
export function control(draw: Draw): Group {
  const { random } = draw;
  const mode = random.chance(0.95) ? random.below(5) : random.between(5, 7);
  return random.pick<Group>([
    [`csrwi vstart, ${random.below(6)}`],
    [`csrwi vstart, ${random.below(32)}`],
    [`csrw vstart, ${draw.rs()}`],
    [`csrwi vxrm, ${random.below(4)}`],
    [`csrwi vxrm, ${random.below(4)}`],
    ['csrwi vxsat, 0'],
    [`csrrw ${draw.rd()}, vcsr, ${draw.rs()}`],
    [`csrr ${draw.target()}, ${random.pick(['vl', 'vtype', 'vlenb', 'vstart', 'vxsat', 'vxrm', 'vcsr'])}`],
    [`csrrwi ${draw.rd()}, ${random.pick(['vl', 'vtype', 'vlenb'])}, 1`],
    [`fsrmi ${mode}`],
    [`fsrmi ${mode}`],
    ['fsflagsi 0'],
    [`frcsr ${draw.target()}`],
  ]);
}
