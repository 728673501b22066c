import { operations } from './operations';
import type { Kind, Trial } from './operations';

/** Numbers from 0 up to but not 2^32, the same for the same seed. */
export type Random = () => number;

/** Marsaglia's xorshift with a Weyl sequence added: short, and good enough to pick operands. */
export function randomFrom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  let weyl = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    weyl = (weyl + 0x6d2b79f5) >>> 0;
    return (Math.imul(state ^ (weyl >>> 15), 0x2c1b3c6d) + weyl) >>> 0;
  };
}

class Picker {
  constructor(readonly random: Random) {}

  /** An integer from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + (this.random() % (to - from + 1));
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.random() % choices.length] as T;
  }

  chance(oneIn: number): boolean {
    return this.random() % oneIn === 0;
  }

  bits(width: number): bigint {
    return BigInt.asUintN(width, (BigInt(this.random()) << 32n) | BigInt(this.random()));
  }

  /** Bits as rounding finds them hard: runs of ones and zeros, single bits, ties, and neighbours of those. */
  pattern(width: number): bigint {
    const ones = (1n << BigInt(width)) - 1n;
    const position = BigInt(this.between(0, width));
    const patterns = [
      () => 0n,
      () => ones,
      () => 1n << position,
      () => (1n << position) - 1n,
      () => ones ^ ((1n << position) - 1n),
      () => (this.bits(width) >> position) << position,
      () => this.bits(width),
    ];
    const near = this.chance(3) ? BigInt(this.between(-2, 2)) : 0n;
    return BigInt.asUintN(width, this.oneOf(patterns)() + near);
  }
}

/** One of the formats, and what makes hard operands in it. */
class Format {
  readonly bias: number;
  readonly special: number;
  constructor(
    private readonly pick: Picker,
    readonly width: 16 | 32 | 64,
    readonly fraction: number,
  ) {
    this.special = (1 << (width - 1 - fraction)) - 1;
    this.bias = this.special >> 1;
  }

  make(sign: boolean, exponent: number, fraction: bigint): bigint {
    const field = Math.min(Math.max(exponent, 0), this.special);
    return (
      (BigInt(sign ? 1 : 0) << BigInt(this.width - 1)) | (BigInt(field) << BigInt(this.fraction)) | fraction
    );
  }

  exponentOf(x: bigint): number {
    return Number(x >> BigInt(this.fraction)) & this.special;
  }

  negate(x: bigint): bigint {
    return x ^ (1n << BigInt(this.width - 1));
  }

  /** Some number close to x, exactly x where the format has it. */
  fromNumber(x: number): bigint {
    const view = new DataView(new ArrayBuffer(8));
    if (this.width === 16) {
      view.setFloat64(0, x);
      const bits = view.getBigUint64(0);
      if (x === 0) return this.make(bits >> 63n !== 0n, 0, 0n);
      const exponent = (Number(bits >> 52n) & 0x7ff) - 1023 + this.bias;
      return this.make(bits >> 63n !== 0n, exponent, (bits & (2n ** 52n - 1n)) >> BigInt(52 - this.fraction));
    }
    if (this.width === 32) view.setFloat32(0, x);
    else view.setFloat64(0, x);
    return this.width === 32 ? BigInt(view.getUint32(0)) : view.getBigUint64(0);
  }

  toNumber(x: bigint): number {
    const view = new DataView(new ArrayBuffer(8));
    if (this.width === 16) {
      const magnitude = Number(x & 0x3ffn) / 1024 + (this.exponentOf(x) === 0 ? 0 : 1);
      return magnitude * 2 ** (Math.max(this.exponentOf(x), 1) - this.bias) * (x >> 15n === 0n ? 1 : -1);
    }
    if (this.width === 32) view.setUint32(0, Number(x));
    else view.setBigUint64(0, x);
    return this.width === 32 ? view.getFloat32(0) : view.getFloat64(0);
  }

  /** At any exponent, with a bias to the ends of the range and its middle. */
  any(): bigint {
    const { pick, fraction, special, bias } = this;
    const sign = pick.chance(2);
    const exponent = pick.oneOf([
      () => 0,
      () => pick.between(1, 3),
      () => pick.between(special - 3, special - 1),
      () => (pick.chance(4) ? special : pick.between(bias - 2, bias + 2)),
      () => pick.between(bias - fraction - 2, bias + fraction + 2),
      () => pick.between(0, special),
      () => bias,
    ])();
    if (exponent === 0 && pick.chance(2)) return this.make(sign, 0, pick.bits(pick.between(0, fraction)));
    return this.make(sign, exponent, pick.pattern(fraction));
  }

  /** A close neighbour, its sign perhaps flipped: sums that cancel. */
  near(x: bigint): bigint {
    const neighbour = BigInt.asUintN(this.width, x + BigInt(this.pick.between(-3, 3)));
    return this.pick.chance(2) ? this.negate(neighbour) : neighbour;
  }

  at(exponent: number): bigint {
    return this.make(this.pick.chance(2), exponent, this.pick.pattern(this.fraction));
  }

  /** A small integer: exact products, quotients and roots. */
  whole(): bigint {
    return this.fromNumber(this.pick.between(-300, 300));
  }

  /** Close to an integer, a half or a bound of an integer type: what conversions to integers decide on. */
  nearInteger(): bigint {
    const { pick } = this;
    const base = pick.oneOf([
      0,
      1,
      2,
      3,
      2 ** 23,
      2 ** 24,
      2 ** 31,
      2 ** 32,
      2 ** 52,
      2 ** 53,
      2 ** 63,
      2 ** 64,
    ]);
    const wholes = pick.oneOf([base, pick.between(0, 1000), pick.random()]);
    const x = this.fromNumber((wholes + pick.between(-8, 8) / 4) * (pick.chance(2) ? -1 : 1));
    return BigInt.asUintN(this.width, x + BigInt(pick.chance(2) ? 0 : pick.between(-2, 2)));
  }
}

const isFormat = (kind: Kind): kind is 'f16' | 'f32' | 'f64' => kind.startsWith('f');

/** Endless operand triples for each kind, all drawn from one source of randomness. */
export class Operands {
  private readonly pick: Picker;
  private readonly formats: { readonly f16: Format; readonly f32: Format; readonly f64: Format };

  constructor(random: Random) {
    this.pick = new Picker(random);
    this.formats = {
      f16: new Format(this.pick, 16, 10),
      f32: new Format(this.pick, 32, 23),
      f64: new Format(this.pick, 64, 52),
    };
  }

  trial(operation: number, roundingModes: number): Trial {
    const row = operations[operation];
    if (row === undefined) throw new RangeError(`no operation ${operation}`);
    const roundingMode = row.rounds ? this.pick.between(0, roundingModes - 1) : 0;
    const [kind] = row.operands as [Kind];
    const operands = row.operands.map(() => 0n);
    if (!isFormat(kind)) operands[0] = this.integer(kind);
    else if (row.operands.length === 1) operands[0] = this.single(this.formats[kind]);
    else operands.splice(0, 3, ...this.triple(this.formats[kind]).slice(0, row.operands.length));
    while (operands.length < 3) operands.push(0n);
    return { operation, roundingMode, operands: operands as [bigint, bigint, bigint] };
  }

  private integer(kind: 'i32' | 'u32' | 'i64' | 'u64'): bigint {
    const width = kind.endsWith('32') ? 32 : 64;
    const pattern = this.pick.pattern(this.pick.between(1, width));
    return BigInt.asUintN(width, this.pick.chance(2) ? pattern : -pattern);
  }

  private single(format: Format): bigint {
    const { pick } = this;
    return pick.oneOf([
      () => format.any(),
      () => format.nearInteger(),
      () => {
        // Squares and their neighbours.
        const root = format.whole();
        const square = format.fromNumber(format.toNumber(root) ** 2);
        return BigInt.asUintN(format.width, square + BigInt(pick.between(0, 1)));
      },
      () => {
        // For narrowing: the ends of binary32's range, and what it has to round.
        const width = Math.min(pick.between(22, 26), format.fraction);
        const fraction = pick.pattern(width) << BigInt(format.fraction - width);
        const exponent = format.bias + pick.oneOf([-149, -126, 0, 127]) + pick.between(-3, 3);
        return format.make(
          pick.chance(2),
          exponent,
          pick.chance(2) ? fraction : pick.pattern(format.fraction),
        );
      },
    ])();
  }

  /**
   * (1 + 2^-j) * (1 - 2^-j) = 1 - 2^-2j, scaled, and an addend to which that is about half a unit in the last place:
   * the least part of the product decides.
   */
  private almostHalfUnit(format: Format): [bigint, bigint, bigint] {
    const { pick } = this;
    const { bias, fraction } = format;
    const j = pick.between(fraction >> 1, fraction);
    const exponentA = bias + pick.between(-40, 40);
    const exponentB = bias + pick.between(-40, 40);
    return [
      format.make(pick.chance(2), exponentA, 1n << BigInt(fraction - j)),
      format.make(pick.chance(2), exponentB - 1, (1n << BigInt(fraction)) - (1n << BigInt(fraction + 1 - j))),
      format.at(exponentA + exponentB - bias + fraction + pick.between(0, 2)),
    ];
  }

  /** Three operands that have to do with each other, as both sums and products see it. */
  private triple(format: Format): [bigint, bigint, bigint] {
    const { pick } = this;
    if (pick.chance(12)) return this.almostHalfUnit(format);
    const { bias, fraction, special } = format;
    const a = pick.chance(8) ? format.whole() : format.any();
    const exponentA = format.exponentOf(a);
    const edge = pick.chance(2) ? pick.between(-fraction - 2, 3) : special + pick.between(-3, 1);
    const b = pick.oneOf([
      () => format.any(),
      () => format.any(),
      () => format.near(a),
      () => format.at(exponentA + pick.between(-fraction - 3, fraction + 3)),
      () => format.at(edge - exponentA + bias), // the product at an end of the range
      () => format.at(exponentA - edge + bias), // the quotient there
      () => format.make(pick.chance(2), exponentA - edge + bias, 0n),
      () => format.make(pick.chance(2), edge - exponentA + bias, 0n),
      () => format.whole(),
    ])();
    const exponent = exponentA + format.exponentOf(b) - bias;
    const c = pick.oneOf([
      () => format.any(),
      () => format.near(format.fromNumber(format.toNumber(a) * format.toNumber(b))),
      () => format.at(exponent + pick.between(-fraction - 3, 2 * fraction + 4)),
      () => format.at(exponent + pick.between(-2, 2)),
      () => format.at(pick.between(0, 2)),
    ])();
    return [a, b, c];
  }
}
