// Cache-block operations on blocks of 64 bytes. Unprivileged ISA manual, "Zicbom" and "Zicboz".
// There is no cache: to clean, flush or invalidate changes nothing, but is checked as on a machine that has one.
import { type Instruction, extension, instruction } from './instruction';

const operation = (mnemonic: string, code: string): Instruction =>
  instruction(mnemonic, `${code} rs1 010 00000 0001111`, '(rs1)', (x) =>
    x.perform(mnemonic.replace('.', '_'), [x.rs1, x.word]),
  );

export const zicbom = extension('zicbom', [
  operation('cbo.inval', '000000000000'),
  operation('cbo.clean', '000000000001'),
  operation('cbo.flush', '000000000010'),
]);

export const zicboz = extension('zicboz', [operation('cbo.zero', '000000000100')]);
