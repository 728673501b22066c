// Atomic compare and swap: rd holds what is expected, and then what was there. Unprivileged ISA manual, "Zacas".
// Quadwords are in pairs of registers, the even one lower; a pair at x0 is zero, and is not written.
import { type Semantics, extension, instruction } from './instruction';

/** rd is read as well as written, so the helper gets its number: registers are in memory while it runs. */
const swap =
  (helper: string): Semantics =>
  (x) =>
    x.perform(helper, [x.rs1, x.field('rd'), x.field('rs2')]);

export const zacas = extension('zacas', [
  instruction('amocas.w', '00101 aq rl rs2 rs1 010 rd 0101111', 'rd, rs2, (rs1)', swap('amocas_w')),
  instruction('amocas.d', '00101 aq rl rs2 rs1 011 rd 0101111', 'rd, rs2, (rs1)', swap('amocas_d')),
  instruction(
    'amocas.q',
    '00101 aq rl rs2[4:1] 0 rs1 100 rd[4:1] 0 0101111',
    'rd, rs2, (rs1)',
    swap('amocas_q'),
  ),
]);
