// Vector loads and stores. "Vector Extension", "Vector Loads and Stores".
import type { Emitter } from '../emitter';
import { type Instruction, type Semantics, instruction } from '../instruction';

const widths = [
  [8, '000'],
  [16, '101'],
  [32, '110'],
  [64, '111'],
] as const;

const directions = [
  { letter: 'l', register: 'vd', opcode: '0000111', helper: 'vector_load' },
  { letter: 's', register: 'vs3', opcode: '0100111', helper: 'vector_store' },
] as const;
type Direction = (typeof directions)[number];

const at =
  (helper: string): Semantics =>
  (x: Emitter) =>
    x.perform(helper, [x.word, x.rs1]);

const atStride =
  (helper: string): Semantics =>
  (x: Emitter) =>
    x.perform(helper, [x.word, x.rs1, x.rs2]);

const semantics = {
  l: {
    unit: at('vector_load'),
    strided: atStride('vector_load_strided'),
    indexed: at('vector_load_indexed'),
    whole: at('vector_load_whole'),
    mask: at('vector_load_mask'),
  },
  s: {
    unit: at('vector_store'),
    strided: atStride('vector_store_strided'),
    indexed: at('vector_store_indexed'),
    whole: at('vector_store_whole'),
    mask: at('vector_store_mask'),
  },
} as const;
const faultOnlyFirst = at('vector_load_fault_only_first');

const bits = (value: number, width: number): string => value.toString(2).padStart(width, '0');

/** Accesses of one width and number of fields. Segments have names of their own. */
function accesses({ letter, register, opcode }: Direction, width: number, code: string, fields: number) {
  const nf = bits(fields - 1, 3);
  const segment = fields > 1 ? `seg${fields}` : '';
  const means = semantics[letter];
  const row = (mnemonic: string, upper: string, middle: string, syntax: string, meaning: Semantics) =>
    instruction(
      `v${letter}${mnemonic}.v`,
      `${nf} 0 ${upper} vm ${middle} rs1 ${code} ${register} ${opcode}`,
      `${register}, (rs1)${syntax}, vm`,
      meaning,
    );
  return [
    row(`${segment}e${width}`, '00', '00000', '', means.unit),
    ...(letter === 'l' ? [row(`${segment}e${width}ff`, '00', '10000', '', faultOnlyFirst)] : []),
    row(`ux${segment}ei${width}`, '01', 'vs2', ', vs2', means.indexed),
    row(`s${segment}e${width}`, '10', 'rs2', ', rs2', means.strided),
    row(`ox${segment}ei${width}`, '11', 'vs2', ', vs2', means.indexed),
  ];
}

/** Whole registers: stores have no width but bytes. */
const whole = ({ letter, register, opcode }: Direction, registers: number): Instruction[] =>
  (letter === 'l' ? widths : widths.slice(0, 1)).map(([width, code]) =>
    instruction(
      letter === 'l' ? `vl${registers}re${width}.v` : `vs${registers}r.v`,
      `${bits(registers - 1, 3)} 0 00 1 01000 rs1 ${code} ${register} ${opcode}`,
      `${register}, (rs1)`,
      semantics[letter].whole,
    ),
  );

const mask = ({ letter, register, opcode }: Direction): Instruction =>
  instruction(
    `v${letter}m.v`,
    `000 0 00 1 01011 rs1 000 ${register} ${opcode}`,
    `${register}, (rs1)`,
    semantics[letter].mask,
  );

export const loadsAndStores: readonly Instruction[] = directions.flatMap((direction) => [
  ...widths.flatMap(([width, code]) =>
    [1, 2, 3, 4, 5, 6, 7, 8].flatMap((fields) => accesses(direction, width, code, fields)),
  ),
  ...[1, 2, 4, 8].flatMap((registers) => whole(direction, registers)),
  mask(direction),
]);
