// Privileged instructions. Privileged ISA manual, "Machine-Mode Privileged Instructions" and "Supervisor Instructions".
import { type Semantics, extension, instruction } from './instruction';

const trapReturn =
  (helper: string): Semantics =>
  (x) => {
    x.perform(helper, [x.word]);
    x.redirect();
  };

/** Of one address, or of all; of one address space, or of all. */
export const fence: Semantics = (x) => {
  const address = [x.isZero(x.field('rs1')), x.rs1];
  const space = [x.isZero(x.field('rs2')), x.rs2];
  x.perform('sfence_vma', [...address, ...space, x.word]);
};

export const privileged = extension('s', [
  instruction('sret', '0001000 00010 00000 000 00000 1110011', '', trapReturn('sret')),
  instruction('mret', '0011000 00010 00000 000 00000 1110011', '', trapReturn('mret')),
  instruction('wfi', '0001000 00101 00000 000 00000 1110011', '', (x) => x.perform('wfi', [x.word])),
  instruction('sfence.vma', '0001001 rs2 rs1 000 00000 1110011', 'rs1, rs2', fence),
]);
