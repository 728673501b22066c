// Reductions. "Vector Extension", "Vector Reduction Operations".
import type { Instruction } from '../instruction';
import { family, row } from './forms';

const integer = family('vector_reduce');
const float = family('vector_float_reduce');

/** The second source is a scalar, in the first element of vs1. */
const withScalar = (rows: readonly Instruction[]): readonly Instruction[] =>
  rows.map((each) => ({ ...each, mnemonic: each.mnemonic.replace('.vv', '.vs') }));

export const reductions = withScalar([
  ...row(integer, 'OPM', 'vredsum', '000000', 'vv'),
  ...row(integer, 'OPM', 'vredand', '000001', 'vv'),
  ...row(integer, 'OPM', 'vredor', '000010', 'vv'),
  ...row(integer, 'OPM', 'vredxor', '000011', 'vv'),
  ...row(integer, 'OPM', 'vredminu', '000100', 'vv'),
  ...row(integer, 'OPM', 'vredmin', '000101', 'vv'),
  ...row(integer, 'OPM', 'vredmaxu', '000110', 'vv'),
  ...row(integer, 'OPM', 'vredmax', '000111', 'vv'),
  ...row(integer, 'OPI', 'vwredsumu', '110000', 'vv'),
  ...row(integer, 'OPI', 'vwredsum', '110001', 'vv'),
]);

export const floatReductions = withScalar([
  ...row(float, 'OPF', 'vfredusum', '000001', 'vv'),
  ...row(float, 'OPF', 'vfredosum', '000011', 'vv'),
  ...row(float, 'OPF', 'vfredmin', '000101', 'vv'),
  ...row(float, 'OPF', 'vfredmax', '000111', 'vv'),
  ...row(float, 'OPF', 'vfwredusum', '110001', 'vv'),
  ...row(float, 'OPF', 'vfwredosum', '110011', 'vv'),
]);
