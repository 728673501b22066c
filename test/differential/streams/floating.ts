import type { Draw } from '../draw';
import { plainProfile, type Group, type Profile, type Stream } from '../program';
import type { Random } from '../random';

type Format = 's' | 'd';

const arithmetic = ['fadd', 'fsub', 'fmul', 'fdiv'] as const;
const fused = ['fmadd', 'fmsub', 'fnmsub', 'fnmadd'] as const;
const noRounding = ['fsgnj', 'fsgnjn', 'fsgnjx', 'fmin', 'fmax'] as const;
const comparisons = ['feq', 'flt', 'fle'] as const;
const integers = ['w', 'wu', 'l', 'lu'] as const;

const size: Record<Format, number> = { s: 4, d: 8 };
const load: Record<Format, string> = { s: 'flw', d: 'fld' };
const store: Record<Format, string> = { s: 'fsw', d: 'fsd' };
const move: Record<Format, string> = { s: 'w', d: 'd' };

/** A constant from the data words, or an integer's bits: fresh corners, and NaN-boxing violations for binary32. */
function fresh(draw: Draw, format: Format): string[] {
  if (draw.random.chance(0.2)) return [`fmv.${move[format]}.x ${draw.fr()}, ${draw.rs()}`];
  if (draw.random.chance(0.2)) return [`fmv.x.${move[format]} ${draw.rd()}, ${draw.fr()}`];
  const { setup, operand } = draw.memory(size[format]);
  if (draw.random.chance(0.3)) return [...setup, `${store[format]} ${draw.fr()}, ${operand}`];
  return [...setup, `${load[format]} ${draw.fr()}, ${operand}`];
}

function operation(draw: Draw, format: Format): string {
  const { random } = draw;
  const fr = (): string => draw.fr();
  const rounding = draw.roundingMode();
  switch (random.below(9)) {
    case 0:
    case 1:
      return `${random.pick(arithmetic)}.${format} ${fr()}, ${fr()}, ${fr()}, ${rounding}`;
    case 2:
    case 3:
      return `${random.pick(fused)}.${format} ${fr()}, ${fr()}, ${fr()}, ${fr()}, ${rounding}`;
    case 4:
      return `fsqrt.${format} ${fr()}, ${fr()}, ${rounding}`;
    case 5:
      return `${random.pick(noRounding)}.${format} ${fr()}, ${fr()}, ${fr()}`;
    case 6:
      return random.chance(0.25)
        ? `fclass.${format} ${draw.rd()}, ${fr()}`
        : `${random.pick(comparisons)}.${format} ${draw.rd()}, ${fr()}, ${fr()}`;
    case 7:
      return `fcvt.${random.pick(integers)}.${format} ${draw.rd()}, ${fr()}, ${rounding}`;
    default: {
      if (format === 'd' && random.chance(0.4)) {
        return random.chance(0.5) ? `fcvt.s.d ${fr()}, ${fr()}, ${rounding}` : `fcvt.d.s ${fr()}, ${fr()}`;
      }
      const integer = random.pick(integers);
      // binary64 holds every 32-bit integer: no rounding mode operand.
      const exact = format === 'd' && (integer === 'w' || integer === 'wu');
      return `fcvt.${format}.${integer} ${fr()}, ${draw.rs()}${exact ? '' : `, ${rounding}`}`;
    }
  }
}

/** The log does not show fcsr, so programs read it themselves. */
const readFlags = (draw: Draw): string =>
  draw.random.pick([`frcsr ${draw.target()}`, `frflags ${draw.target()}`]);

function control(draw: Draw): Group {
  const { random } = draw;
  const mode = random.chance(0.9) ? random.below(5) : random.between(5, 7);
  return random.pick<Group>([
    [`fsrmi ${draw.rd()}, ${mode}`],
    [`fsrmi ${draw.rd()}, ${mode}`],
    [`fsflagsi ${draw.rd()}, ${random.below(32)}`],
    ['fsflagsi 0'],
    [`fscsr ${draw.rd()}, ${draw.rs()}`, `fsrmi ${random.below(5)}`],
    [`frrm ${draw.rd()}`],
    [`csrrs ${draw.rd()}, fflags, ${draw.rs()}`],
    [`csrrc ${draw.rd()}, fcsr, ${draw.rs()}`],
  ]);
}

/** FS mostly Dirty; Initial and Clean to see it become Dirty, Off to see everything trap. */
function profile(random: Random): Profile {
  const status = random.chance(0.75) ? 3n : BigInt(random.below(4));
  return { ...plainProfile, mstatus: status << 13n };
}

function stream(name: string, format: Format): Stream {
  return {
    name,
    length: 110,
    profile,
    group(draw) {
      const choice = draw.random.below(100);
      if (choice < 20) return fresh(draw, format);
      if (choice < 28) return control(draw);
      const line = operation(draw, format);
      return draw.random.chance(0.75) ? [line, readFlags(draw)] : [line];
    },
  };
}

export const f = stream('f', 's');
export const d = stream('d', 'd');
