// Instructions on masks. "Vector Extension", "Vector Mask Instructions".
import { type Instruction, type Semantics, instruction } from '../instruction';
import { byWord, family, row, toInteger, unary } from './forms';

const logical = family('vector_mask_logical');
const first = byWord('vector_mask_first');

/** Mask in, number out. */
const count = (mnemonic: string, code: string, semantics: Semantics): Instruction =>
  instruction(mnemonic, `010000 vm vs2 ${code} 010 rd 1010111`, 'rd, vs2, vm', semantics);

const operations = [
  ['vmandn', '011000'],
  ['vmand', '011001'],
  ['vmor', '011010'],
  ['vmxor', '011011'],
  ['vmorn', '011100'],
  ['vmnand', '011101'],
  ['vmnor', '011110'],
  ['vmxnor', '011111'],
] as const;

export const masks: readonly Instruction[] = [
  ...operations
    .flatMap(([name, funct6]) => row(logical, 'OPM', name, funct6, 'vv', { masking: 'none' }))
    .map((each) => ({ ...each, mnemonic: each.mnemonic.replace('.vv', '.mm') })),
  count('vcpop.m', '10000', toInteger('vector_population')),
  count('vfirst.m', '10001', toInteger('vector_first')),
  unary(first, 'OPM', 'vmsbf.m', '010100', '00001'),
  unary(first, 'OPM', 'vmsof.m', '010100', '00010'),
  unary(first, 'OPM', 'vmsif.m', '010100', '00011'),
  unary(byWord('vector_iota'), 'OPM', 'viota.m', '010100', '10000'),
  instruction('vid.v', '010100 vm 00000 10001 010 vd 1010111', 'vd, vm', byWord('vector_identity')),
];
