// Additional floating-point instructions. Unprivileged ISA manual, "Zfa".
import type { I64 } from './emitter';
import { type Format, computed, float } from './floating-point';
import { type Instruction, extension, instruction } from './instruction';

/** One of 32 constants, chosen by the field of rs1. */
const loadConstant = ({ suffix, fmt }: Format): Instruction =>
  instruction(
    `fli.${suffix}`,
    `11110${fmt} 00001 rs1 000 rd 1010011`,
    'frd, zimm',
    float((x) => x.fd(x.call(`fli_${suffix}`, [x.field('rs1')]) as I64)),
  );

const ofFormat = (format: Format): Instruction[] => {
  const { suffix, fmt } = format;
  return [
    loadConstant(format),
    computed('select', `fminm.${suffix}`, `00101${fmt} rs2 rs1 010 rd 1010011`),
    computed('select', `fmaxm.${suffix}`, `00101${fmt} rs2 rs1 011 rd 1010011`),
    computed('root', `fround.${suffix}`, `01000${fmt} 00100 rs1 rm rd 1010011`),
    computed('root', `froundnx.${suffix}`, `01000${fmt} 00101 rs1 rm rd 1010011`),
    computed('compare', `fleq.${suffix}`, `10100${fmt} rs2 rs1 100 rd 1010011`),
    computed('compare', `fltq.${suffix}`, `10100${fmt} rs2 rs1 101 rd 1010011`),
  ];
};

export const zfa = [
  extension('zfa', [
    ...ofFormat({ suffix: 's', fmt: '00' }),
    ...ofFormat({ suffix: 'd', fmt: '01' }),
    // It rounds towards zero, and says so: other modes are reserved.
    computed('classify', 'fcvtmod.w.d', '1100001 01000 rs1 001 rd 1010011'),
  ]),
  extension('zfa', ofFormat({ suffix: 'h', fmt: '10' }), ['zfh']),
];
