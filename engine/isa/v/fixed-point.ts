// Saturating, averaging and scaling arithmetic. "Vector Extension", "Vector Fixed-Point Arithmetic Instructions".
import type { Instruction } from '../instruction';
import { family, row } from './forms';

const single = family('vector_fixed_point');
const clip = family('vector_clip');

export const fixedPoint: readonly Instruction[] = [
  ...row(single, 'OPI', 'vsaddu', '100000', 'vv vx vi'),
  ...row(single, 'OPI', 'vsadd', '100001', 'vv vx vi'),
  ...row(single, 'OPI', 'vssubu', '100010', 'vv vx'),
  ...row(single, 'OPI', 'vssub', '100011', 'vv vx'),
  ...row(single, 'OPI', 'vsmul', '100111', 'vv vx'),
  ...row(single, 'OPI', 'vssrl', '101010', 'vv vx vu'),
  ...row(single, 'OPI', 'vssra', '101011', 'vv vx vu'),
  ...row(single, 'OPM', 'vaaddu', '001000', 'vv vx'),
  ...row(single, 'OPM', 'vaadd', '001001', 'vv vx'),
  ...row(single, 'OPM', 'vasubu', '001010', 'vv vx'),
  ...row(single, 'OPM', 'vasub', '001011', 'vv vx'),
  ...row(clip, 'OPI', 'vnclipu', '101110', 'wv wx wu'),
  ...row(clip, 'OPI', 'vnclip', '101111', 'wv wx wu'),
];
