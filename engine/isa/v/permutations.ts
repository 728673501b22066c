// Moving elements about. "Vector Extension", "Vector Permutation Instructions", and the moves of
// "Vector Integer Move Instructions" and "Vector Floating-Point Move Instruction".
import type { I64 } from '../emitter';
import { type Instruction, instruction } from '../instruction';
import { byWord, family, row, toInteger } from './forms';

const merge = family('vector_merge');
const floatMerge = family('vector_float_merge');
const slide = family('vector_slide');
const slideOne = family('vector_slide_one');
const floatSlideOne = family('vector_float_slide_one');
const gather = family('vector_gather');
const gather16 = family('vector_gather_16');

const wholeMove = byWord('vector_move_whole');

export const permutations: readonly Instruction[] = [
  instruction('vmv.v.v', '010111 1 00000 vs1 000 vd 1010111', 'vd, vs1', merge('v')),
  instruction('vmv.v.x', '010111 1 00000 rs1 100 vd 1010111', 'vd, rs1', merge('x')),
  instruction('vmv.v.i', '010111 1 00000 imm[4:0] 011 vd 1010111', 'vd, imm', merge('i')),

  instruction('vmv.x.s', '010000 1 vs2 00000 010 rd 1010111', 'rd, vs2', toInteger('vector_move_out')),
  instruction('vmv.s.x', '010000 1 00000 rs1 110 vd 1010111', 'vd, rs1', family('vector_move_in')('x')),

  ...row(slide, 'OPI', 'vslideup', '001110', 'vx vu'),
  ...row(slide, 'OPI', 'vslidedown', '001111', 'vx vu'),
  ...row(slideOne, 'OPM', 'vslide1up', '001110', 'vx'),
  ...row(slideOne, 'OPM', 'vslide1down', '001111', 'vx'),

  ...row(gather, 'OPI', 'vrgather', '001100', 'vv vx vu'),
  ...row(gather16, 'OPI', 'vrgatherei16', '001110', 'vv'),
  instruction('vcompress.vm', '010111 1 vs2 vs1 010 vd 1010111', 'vd, vs2, vs1', byWord('vector_compress')),

  ...([1, 2, 4, 8] as const).map((registers) =>
    instruction(
      `vmv${registers}r.v`,
      `100111 1 vs2 ${(registers - 1).toString(2).padStart(5, '0')} 011 vd 1010111`,
      'vd, vs2',
      wholeMove,
    ),
  ),
];

export const floatPermutations: readonly Instruction[] = [
  instruction('vfmv.v.f', '010111 1 00000 rs1 101 vd 1010111', 'vd, frs1', floatMerge('f')),
  instruction('vfmv.f.s', '010000 1 vs2 00000 001 rd 1010111', 'frd, vs2', (x) =>
    x.fd(x.call('vector_float_move_out', [x.word]) as I64),
  ),
  instruction(
    'vfmv.s.f',
    '010000 1 00000 rs1 101 vd 1010111',
    'vd, frs1',
    family('vector_float_move_in')('f'),
  ),
  ...row(floatSlideOne, 'OPF', 'vfslide1up', '001110', 'vf'),
  ...row(floatSlideOne, 'OPF', 'vfslide1down', '001111', 'vf'),
];
