// Instruction-fetch fence. Unprivileged ISA manual, "Zifencei".
import { extension, instruction } from './instruction';

export const zifencei = extension('zifencei', [
  instruction('fence.i', 'imm[11:0] rs1 001 rd 0001111', '', (x) => x.perform('fence_i', [])),
]);
