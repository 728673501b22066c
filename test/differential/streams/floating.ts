import type { Draw } from '../draw';
import { standard, withNewer, type Target } from '../target';
import { halfValue } from '../values';
import { plainProfile, type Group, type Profile, type Stream } from '../program';
import type { Random } from '../random';

export type Format = 's' | 'd' | 'h';

const arithmetic = ['fadd', 'fsub', 'fmul', 'fdiv'] as const;
const fused = ['fmadd', 'fmsub', 'fnmsub', 'fnmadd'] as const;
const noRounding = ['fsgnj', 'fsgnjn', 'fsgnjx', 'fmin', 'fmax'] as const;
const comparisons = ['feq', 'flt', 'fle'] as const;
const integers = ['w', 'wu', 'l', 'lu'] as const;

const size: Record<Format, number> = { s: 4, d: 8, h: 2 };
const load: Record<Format, string> = { s: 'flw', d: 'fld', h: 'flh' };
const store: Record<Format, string> = { s: 'fsw', d: 'fsd', h: 'fsh' };
const move: Record<Format, string> = { s: 'w', d: 'd', h: 'h' };

/** A half that rounding finds hard, boxed; now and then it is not. */
function freshHalf(draw: Draw): string[] {
  const register = draw.target();
  const move = draw.random.chance(0.9) ? 'fmv.h.x' : draw.random.pick(['fmv.w.x', 'fmv.d.x']);
  return [`li ${register}, ${halfValue(draw.random)}`, `${move} ${draw.fr()}, ${register}`];
}

/** A constant from the data words, or an integer's bits: fresh corners, and NaN-boxing violations for binary32. */
export function fresh(draw: Draw, format: Format): string[] {
  if (format === 'h' && draw.random.chance(0.6)) return freshHalf(draw);
  if (draw.random.chance(0.2)) return [`fmv.${move[format]}.x ${draw.fr()}, ${draw.rs()}`];
  if (draw.random.chance(0.2)) return [`fmv.x.${move[format]} ${draw.rd()}, ${draw.fr()}`];
  const { setup, operand } = draw.memory(size[format]);
  if (draw.random.chance(0.3)) return [...setup, `${store[format]} ${draw.fr()}, ${operand}`];
  return [...setup, `${load[format]} ${draw.fr()}, ${operand}`];
}

/** Between halves and the wider formats; to the wider ones exactly, without a rounding mode operand. */
export function halfConversion(draw: Draw): string {
  const wide = draw.random.pick(['s', 'd']);
  return draw.random.chance(0.6)
    ? `fcvt.h.${wide} ${draw.fr()}, ${draw.fr()}, ${draw.roundingMode()}`
    : `fcvt.${wide}.h ${draw.fr()}, ${draw.fr()}`;
}

export function operation(draw: Draw, format: Format): string {
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
      if (format === 'h' && random.chance(0.5)) return halfConversion(draw);
      const integer = random.pick(integers);
      // binary64 holds every 32-bit integer: no rounding mode operand.
      const exact = format === 'd' && (integer === 'w' || integer === 'wu');
      return `fcvt.${format}.${integer} ${fr()}, ${draw.rs()}${exact ? '' : `, ${rounding}`}`;
    }
  }
}

/** The log does not show fcsr, so programs read it themselves. */
export const readFlags = (draw: Draw): string =>
  draw.random.pick([`frcsr ${draw.target()}`, `frflags ${draw.target()}`]);

export function control(draw: Draw): Group {
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
export function profile(random: Random): Profile {
  const status = random.chance(0.75) ? 3n : BigInt(random.below(4));
  return { ...plainProfile, mstatus: status << 13n };
}

/** `line` draws an instruction of the format. */
function stream(
  name: string,
  formats: readonly Format[],
  line: (draw: Draw, format: Format) => string,
  target: Target = standard,
): Stream {
  return {
    name,
    target,
    length: 110,
    profile,
    group(draw) {
      const choice = draw.random.below(100);
      const format = draw.random.pick(formats);
      if (choice < 20) return fresh(draw, format);
      if (choice < 28) return control(draw);
      return draw.random.chance(0.75) ? [line(draw, format), readFlags(draw)] : [line(draw, format)];
    },
  };
}

/** Zfa. Constants as the assembler names them: by value. */
function additional(draw: Draw, format: Format): string {
  const { random } = draw;
  const [a, b, c] = [draw.fr(), draw.fr(), draw.fr()];
  switch (random.below(format === 'd' ? 6 : 5)) {
    case 0: {
      // fli: the assembler wants its constants by value.
      const fmt = { s: 0, d: 1, h: 2 }[format];
      const word = 0xf0100053 + fmt * 2 ** 25 + random.below(32) * 2 ** 15 + random.below(32) * 2 ** 7;
      return `.insn 4, 0x${word.toString(16)}`;
    }
    case 1:
      return `${random.pick(['fminm', 'fmaxm'])}.${format} ${a}, ${b}, ${c}`;
    case 2:
      return `${random.pick(['fleq', 'fltq'])}.${format} ${draw.rd()}, ${a}, ${b}`;
    case 3:
    case 4:
      return `${random.pick(['fround', 'froundnx'])}.${format} ${a}, ${b}, ${draw.roundingMode()}`;
    default:
      return `fcvtmod.w.d ${draw.rd()}, ${a}, rtz`;
  }
}

export const f = stream('f', ['s'], operation);
export const d = stream('d', ['d'], operation);
export const zfh = stream('zfh', ['h'], operation, withNewer('zfh'));
export const zfhmin = stream('zfhmin', ['h'], halfConversion, withNewer('zfhmin'));
export const zfa = stream(
  'zfa',
  ['s', 'd', 'h', 'd'],
  (draw, format) => (draw.random.chance(0.25) ? operation(draw, format) : additional(draw, format)),
  withNewer('zfh', 'zfa'),
);
