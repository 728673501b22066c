/**
 * Whether the relaxed multiply-add of this engine is the fused one of IEEE 754: one rounding. The relaxed SIMD
 * proposal leaves it to the engine, which takes the processor's instruction where there is one.
 */
import { type Expression, type F64, float } from '../../wasm/expression';
import { FunctionBuilder } from '../../wasm/function-builder';
import { ModuleBuilder } from '../../wasm/module-builder';

/** `a * b + c`, or `-(a * b) + c`, by the relaxed instruction. */
export const multiplyAdd = <T extends 'f32' | 'f64'>(
  type: T,
  negated: boolean,
  operands: readonly [Expression<T>, Expression<T>, Expression<T>],
): Expression<T> => {
  const shape = type === 'f64' ? 'f64x2' : 'f32x4';
  const vectors = operands.map((operand) => float(`${shape}.splat`, operand));
  const sum = float(`${shape}.relaxed_${negated ? 'nmadd' : 'madd'}`, ...vectors);
  return float(`${shape}.extract_lane`, sum) as Expression<T>;
};

const power = (exponent: number): number => 2 ** exponent;

/**
 * Operands and their fused result, for a format with so many bits behind the point: what a second rounding loses,
 * what it rounds the wrong way (the sum lies next to the middle of two numbers), and what is lost where the smallest
 * numbers are taken for zero.
 */
const trials = (bits: number, smallest: number): readonly (readonly [number, number, number, number])[] => {
  const little = power(-bits);
  const [above, below] = [1 + little, 1 - little];
  return [
    [above, below, -1, -little * little],
    [-above, below, 1, little * little],
    [above * (little / 2), below, above, above],
    [above * (little / 2), -below, -above, -above],
    [power(smallest), power(-smallest - 70), power(-70), power(-69)],
  ];
};

/** The results by the relaxed instructions; doubles come and go, which hold singles too. */
function run(type: 'f32' | 'f64', negated: boolean): (a: number, b: number, c: number) => number {
  const parameters = ['f64', 'f64', 'f64'] as const;
  const builder = new FunctionBuilder(parameters);
  const [a, b, c] = parameters.map((_, i): F64 => builder.parameter<'f64'>(i).get) as [F64, F64, F64];
  const narrow = (value: F64) => float('f32.demote_f64', value);
  builder.leave(
    type === 'f64'
      ? multiplyAdd(type, negated, [a, b, c])
      : float('f64.promote_f32', multiplyAdd(type, negated, [narrow(a), narrow(b), narrow(c)])),
  );
  const module = new ModuleBuilder();
  module.define('run', { parameters, result: 'f64' }, builder);
  const bytes = module.bytes();
  if (!WebAssembly.validate(bytes)) return () => NaN;
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports['run'] as (
    ...operands: readonly number[]
  ) => number;
}

let known: boolean | undefined;

/** True where `multiplyAdd` rounds once, in both formats; found out by trial, once. */
export function multiplyAddIsFused(): boolean {
  known ??= (['f64', 'f32'] as const).every((type) =>
    [false, true].every((negated) => {
      const calculate = run(type, negated);
      const [bits, smallest] = type === 'f64' ? [52, -1074] : [23, -149];
      return trials(bits, smallest).every(
        ([a, b, c, result]) => calculate(negated ? -a : a, b, c) === result,
      );
    }),
  );
  return known;
}
