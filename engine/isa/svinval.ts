// Fine-grained address-translation cache invalidation. Privileged ISA manual, "Svinval".
import { type Semantics, extension, instruction } from './instruction';
import { fence } from './privileged';

const order: Semantics = (x) => x.perform('supervisor_fence', [x.word]);

export const svinval = extension('svinval', [
  instruction('sinval.vma', '0001011 rs2 rs1 000 00000 1110011', 'rs1, rs2', fence),
  instruction('sfence.w.inval', '0001100 00000 00000 000 00000 1110011', '', order),
  instruction('sfence.inval.ir', '0001100 00001 00000 000 00000 1110011', '', order),
]);
