// Integer arithmetic. "Vector Extension", "Vector Integer Arithmetic Instructions".
import type { Instruction } from '../instruction';
import { byWord, family, row, unary } from './forms';

const single = family('vector_integer');
const carry = family('vector_carry');
const compare = family('vector_compare');
const widening = family('vector_widening');
const narrowing = family('vector_narrowing');
const merge = family('vector_merge');
const extend = byWord('vector_extend');

export const integer: readonly Instruction[] = [
  ...row(single, 'OPI', 'vadd', '000000', 'vv vx vi'),
  ...row(single, 'OPI', 'vsub', '000010', 'vv vx'),
  ...row(single, 'OPI', 'vrsub', '000011', 'vx vi'),
  ...row(single, 'OPI', 'vminu', '000100', 'vv vx'),
  ...row(single, 'OPI', 'vmin', '000101', 'vv vx'),
  ...row(single, 'OPI', 'vmaxu', '000110', 'vv vx'),
  ...row(single, 'OPI', 'vmax', '000111', 'vv vx'),
  ...row(single, 'OPI', 'vand', '001001', 'vv vx vi'),
  ...row(single, 'OPI', 'vor', '001010', 'vv vx vi'),
  ...row(single, 'OPI', 'vxor', '001011', 'vv vx vi'),
  ...row(single, 'OPI', 'vsll', '100101', 'vv vx vu'),
  ...row(single, 'OPI', 'vsrl', '101000', 'vv vx vu'),
  ...row(single, 'OPI', 'vsra', '101001', 'vv vx vu'),

  ...row(carry, 'OPI', 'vadc', '010000', 'vvm vxm vim'),
  ...row(carry, 'OPI', 'vmadc', '010001', 'vvm vxm vim'),
  ...row(carry, 'OPI', 'vmadc', '010001', 'vv vx vi', { masking: 'none' }),
  ...row(carry, 'OPI', 'vsbc', '010010', 'vvm vxm'),
  ...row(carry, 'OPI', 'vmsbc', '010011', 'vvm vxm'),
  ...row(carry, 'OPI', 'vmsbc', '010011', 'vv vx', { masking: 'none' }),

  ...row(compare, 'OPI', 'vmseq', '011000', 'vv vx vi'),
  ...row(compare, 'OPI', 'vmsne', '011001', 'vv vx vi'),
  ...row(compare, 'OPI', 'vmsltu', '011010', 'vv vx'),
  ...row(compare, 'OPI', 'vmslt', '011011', 'vv vx'),
  ...row(compare, 'OPI', 'vmsleu', '011100', 'vv vx vi'),
  ...row(compare, 'OPI', 'vmsle', '011101', 'vv vx vi'),
  ...row(compare, 'OPI', 'vmsgtu', '011110', 'vx vi'),
  ...row(compare, 'OPI', 'vmsgt', '011111', 'vx vi'),

  ...row(merge, 'OPI', 'vmerge', '010111', 'vvm vxm vim'),

  ...row(narrowing, 'OPI', 'vnsrl', '101100', 'wv wx wu'),
  ...row(narrowing, 'OPI', 'vnsra', '101101', 'wv wx wu'),

  ...row(single, 'OPM', 'vdivu', '100000', 'vv vx'),
  ...row(single, 'OPM', 'vdiv', '100001', 'vv vx'),
  ...row(single, 'OPM', 'vremu', '100010', 'vv vx'),
  ...row(single, 'OPM', 'vrem', '100011', 'vv vx'),
  ...row(single, 'OPM', 'vmulhu', '100100', 'vv vx'),
  ...row(single, 'OPM', 'vmul', '100101', 'vv vx'),
  ...row(single, 'OPM', 'vmulhsu', '100110', 'vv vx'),
  ...row(single, 'OPM', 'vmulh', '100111', 'vv vx'),
  ...row(single, 'OPM', 'vmadd', '101001', 'vv vx', { addend: true }),
  ...row(single, 'OPM', 'vnmsub', '101011', 'vv vx', { addend: true }),
  ...row(single, 'OPM', 'vmacc', '101101', 'vv vx', { addend: true }),
  ...row(single, 'OPM', 'vnmsac', '101111', 'vv vx', { addend: true }),

  ...row(widening, 'OPM', 'vwaddu', '110000', 'vv vx'),
  ...row(widening, 'OPM', 'vwadd', '110001', 'vv vx'),
  ...row(widening, 'OPM', 'vwsubu', '110010', 'vv vx'),
  ...row(widening, 'OPM', 'vwsub', '110011', 'vv vx'),
  ...row(widening, 'OPM', 'vwaddu', '110100', 'wv wx'),
  ...row(widening, 'OPM', 'vwadd', '110101', 'wv wx'),
  ...row(widening, 'OPM', 'vwsubu', '110110', 'wv wx'),
  ...row(widening, 'OPM', 'vwsub', '110111', 'wv wx'),
  ...row(widening, 'OPM', 'vwmulu', '111000', 'vv vx'),
  ...row(widening, 'OPM', 'vwmulsu', '111010', 'vv vx'),
  ...row(widening, 'OPM', 'vwmul', '111011', 'vv vx'),
  ...row(widening, 'OPM', 'vwmaccu', '111100', 'vv vx', { addend: true }),
  ...row(widening, 'OPM', 'vwmacc', '111101', 'vv vx', { addend: true }),
  ...row(widening, 'OPM', 'vwmaccus', '111110', 'vx', { addend: true }),
  ...row(widening, 'OPM', 'vwmaccsu', '111111', 'vv vx', { addend: true }),

  unary(extend, 'OPM', 'vzext.vf8', '010010', '00010'),
  unary(extend, 'OPM', 'vsext.vf8', '010010', '00011'),
  unary(extend, 'OPM', 'vzext.vf4', '010010', '00100'),
  unary(extend, 'OPM', 'vsext.vf4', '010010', '00101'),
  unary(extend, 'OPM', 'vzext.vf2', '010010', '00110'),
  unary(extend, 'OPM', 'vsext.vf2', '010010', '00111'),
];
