// Hints: but for `pause`, nothing comes of them here that their general form would not do. Unprivileged ISA manual, "Zihintpause",
// "Zihintntl" and "Zicbop".
import { type Instruction, type Semantics, extension, instruction } from './instruction';

const nothing: Semantics = () => {};

/** A fence of writes before nothing: another hart may have the rest of the turn. */
export const zihintpause = extension('zihintpause', [
  instruction('pause', '0000 0001 0000 00000 000 00000 0001111', '', (x) => x.perform('pause', [])),
]);

/** Which caches a datum is not worth keeping in: additions to x0. */
const localities = [
  ['p1', '00010'],
  ['pall', '00011'],
  ['s1', '00100'],
  ['all', '00101'],
] as const;

export const zihintntl = [
  extension(
    'zihintntl',
    localities.map(([name, rs2]) =>
      instruction(`ntl.${name}`, `0000000 ${rs2} 00000 000 00000 0110011`, '', nothing),
    ),
  ),
  extension(
    'zihintntl',
    localities.map(([name, rs2]) => instruction(`c.ntl.${name}`, `100 1 00000 ${rs2} 10`, '', nothing)),
  ),
];

/** An OR into x0. No fault comes of the address. */
const prefetch = (name: string, code: string): Instruction =>
  instruction(`prefetch.${name}`, `imm[11:5] ${code} rs1 110 00000 0010011`, 'imm(rs1)', nothing);

export const zicbop = extension('zicbop', [
  prefetch('i', '00000'),
  prefetch('r', '00001'),
  prefetch('w', '00011'),
]);
