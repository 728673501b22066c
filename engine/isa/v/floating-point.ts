// Floating point. "Vector Extension", "Vector Floating-Point Instructions".
import type { Instruction } from '../instruction';
import { byWord, family, row, unary } from './forms';

const single = family('vector_float');
const fused = family('vector_float_fused');
const widening = family('vector_float_widening');
const compare = family('vector_float_compare');
const merge = family('vector_float_merge');
const one = byWord('vector_float_unary');
const convert = byWord('vector_float_convert');
const convertWidening = byWord('vector_float_convert_widening');
const convertNarrowing = byWord('vector_float_convert_narrowing');

export const floatingPoint: readonly Instruction[] = [
  ...row(single, 'OPF', 'vfadd', '000000', 'vv vf'),
  ...row(single, 'OPF', 'vfsub', '000010', 'vv vf'),
  ...row(single, 'OPF', 'vfmin', '000100', 'vv vf'),
  ...row(single, 'OPF', 'vfmax', '000110', 'vv vf'),
  ...row(single, 'OPF', 'vfsgnj', '001000', 'vv vf'),
  ...row(single, 'OPF', 'vfsgnjn', '001001', 'vv vf'),
  ...row(single, 'OPF', 'vfsgnjx', '001010', 'vv vf'),
  ...row(single, 'OPF', 'vfdiv', '100000', 'vv vf'),
  ...row(single, 'OPF', 'vfrdiv', '100001', 'vf'),
  ...row(single, 'OPF', 'vfmul', '100100', 'vv vf'),
  ...row(single, 'OPF', 'vfrsub', '100111', 'vf'),

  ...row(fused, 'OPF', 'vfmadd', '101000', 'vv vf', { addend: true }),
  ...row(fused, 'OPF', 'vfnmadd', '101001', 'vv vf', { addend: true }),
  ...row(fused, 'OPF', 'vfmsub', '101010', 'vv vf', { addend: true }),
  ...row(fused, 'OPF', 'vfnmsub', '101011', 'vv vf', { addend: true }),
  ...row(fused, 'OPF', 'vfmacc', '101100', 'vv vf', { addend: true }),
  ...row(fused, 'OPF', 'vfnmacc', '101101', 'vv vf', { addend: true }),
  ...row(fused, 'OPF', 'vfmsac', '101110', 'vv vf', { addend: true }),
  ...row(fused, 'OPF', 'vfnmsac', '101111', 'vv vf', { addend: true }),

  ...row(widening, 'OPF', 'vfwadd', '110000', 'vv vf'),
  ...row(widening, 'OPF', 'vfwsub', '110010', 'vv vf'),
  ...row(widening, 'OPF', 'vfwadd', '110100', 'wv wf'),
  ...row(widening, 'OPF', 'vfwsub', '110110', 'wv wf'),
  ...row(widening, 'OPF', 'vfwmul', '111000', 'vv vf'),
  ...row(widening, 'OPF', 'vfwmacc', '111100', 'vv vf', { addend: true }),
  ...row(widening, 'OPF', 'vfwnmacc', '111101', 'vv vf', { addend: true }),
  ...row(widening, 'OPF', 'vfwmsac', '111110', 'vv vf', { addend: true }),
  ...row(widening, 'OPF', 'vfwnmsac', '111111', 'vv vf', { addend: true }),

  ...row(compare, 'OPF', 'vmfeq', '011000', 'vv vf'),
  ...row(compare, 'OPF', 'vmfle', '011001', 'vv vf'),
  ...row(compare, 'OPF', 'vmflt', '011011', 'vv vf'),
  ...row(compare, 'OPF', 'vmfne', '011100', 'vv vf'),
  ...row(compare, 'OPF', 'vmfgt', '011101', 'vf'),
  ...row(compare, 'OPF', 'vmfge', '011111', 'vf'),

  ...row(merge, 'OPF', 'vfmerge', '010111', 'vfm'),

  unary(one, 'OPF', 'vfsqrt.v', '010011', '00000'),
  unary(one, 'OPF', 'vfrsqrt7.v', '010011', '00100'),
  unary(one, 'OPF', 'vfrec7.v', '010011', '00101'),
  unary(one, 'OPF', 'vfclass.v', '010011', '10000'),

  unary(convert, 'OPF', 'vfcvt.xu.f.v', '010010', '00000'),
  unary(convert, 'OPF', 'vfcvt.x.f.v', '010010', '00001'),
  unary(convert, 'OPF', 'vfcvt.f.xu.v', '010010', '00010'),
  unary(convert, 'OPF', 'vfcvt.f.x.v', '010010', '00011'),
  unary(convert, 'OPF', 'vfcvt.rtz.xu.f.v', '010010', '00110'),
  unary(convert, 'OPF', 'vfcvt.rtz.x.f.v', '010010', '00111'),
  unary(convertWidening, 'OPF', 'vfwcvt.xu.f.v', '010010', '01000'),
  unary(convertWidening, 'OPF', 'vfwcvt.x.f.v', '010010', '01001'),
  unary(convertWidening, 'OPF', 'vfwcvt.f.xu.v', '010010', '01010'),
  unary(convertWidening, 'OPF', 'vfwcvt.f.x.v', '010010', '01011'),
  unary(convertWidening, 'OPF', 'vfwcvt.f.f.v', '010010', '01100'),
  unary(convertWidening, 'OPF', 'vfwcvt.rtz.xu.f.v', '010010', '01110'),
  unary(convertWidening, 'OPF', 'vfwcvt.rtz.x.f.v', '010010', '01111'),
  unary(convertNarrowing, 'OPF', 'vfncvt.xu.f.w', '010010', '10000'),
  unary(convertNarrowing, 'OPF', 'vfncvt.x.f.w', '010010', '10001'),
  unary(convertNarrowing, 'OPF', 'vfncvt.f.xu.w', '010010', '10010'),
  unary(convertNarrowing, 'OPF', 'vfncvt.f.x.w', '010010', '10011'),
  unary(convertNarrowing, 'OPF', 'vfncvt.f.f.w', '010010', '10100'),
  unary(convertNarrowing, 'OPF', 'vfncvt.rod.f.f.w', '010010', '10101'),
  unary(convertNarrowing, 'OPF', 'vfncvt.rtz.xu.f.w', '010010', '10110'),
  unary(convertNarrowing, 'OPF', 'vfncvt.rtz.x.f.w', '010010', '10111'),
];
