// Setting vl and vtype. "Vector Extension", "Configuration-Setting Instructions".
import type { I64 } from '../emitter';
import { type Instruction, instruction } from '../instruction';

export const configuration: readonly Instruction[] = [
  instruction('vsetvli', '0 vtype[10:0] rs1 111 rd 1010111', 'rd, rs1, vtype', (x) =>
    x.rd(x.call('vector_configure', [x.word, x.rs1, x.zext(x.field('vtype'))]) as I64),
  ),
  instruction('vsetivli', '11 vtype[9:0] uimm 111 rd 1010111', 'rd, imm, vtype', (x) =>
    x.rd(x.call('vector_configure', [x.word, x.imm, x.zext(x.field('vtype'))]) as I64),
  ),
  instruction('vsetvl', '1000000 rs2 rs1 111 rd 1010111', 'rd, rs1, rs2', (x) =>
    x.rd(x.call('vector_configure', [x.word, x.rs1, x.rs2]) as I64),
  ),
];
