// What F, D and Zfh share: the shapes of their instructions. Unprivileged ISA manual, "F", "D" and "Zfh".
// Arithmetic is a helper named as its mnemonic, with dots as underscores; it
// checks the NaN boxing of its operands, boxes its result, and accrues flags.
import { box } from '../wasm/expression';
import type { Emitter, I64 } from './emitter';
import { type Instruction, type Semantics, instruction } from './instruction';

/** The `fmt` field, and how wide the format's memory accesses are. */
export interface Format {
  readonly suffix: 's' | 'd' | 'h';
  readonly fmt: string;
}

const helperName = (mnemonic: string): string => mnemonic.replaceAll('.', '_');

/** Everything that touches floating-point state needs `mstatus.FS` on. */
export const float =
  (semantics: Semantics): Semantics =>
  (x) => {
    x.requireFloat();
    semantics(x);
  };

type Operands = (x: Emitter) => I64[];
const one: Operands = (x) => [x.fs1];
const two: Operands = (x) => [x.fs1, x.fs2];
const three: Operands = (x) => [x.fs1, x.fs2, x.fs3];
const integer: Operands = (x) => [x.rs1];

interface Shape {
  readonly operands: Operands;
  readonly rounded: boolean;
  readonly to: 'fd' | 'rd';
  readonly syntax: string;
}

const shapes = {
  fusedMultiplyAdd: { operands: three, rounded: true, to: 'fd', syntax: 'frd, frs1, frs2, frs3, rm' },
  arithmetic: { operands: two, rounded: true, to: 'fd', syntax: 'frd, frs1, frs2, rm' },
  root: { operands: one, rounded: true, to: 'fd', syntax: 'frd, frs1, rm' },
  select: { operands: two, rounded: false, to: 'fd', syntax: 'frd, frs1, frs2' },
  compare: { operands: two, rounded: false, to: 'rd', syntax: 'rd, frs1, frs2' },
  classify: { operands: one, rounded: false, to: 'rd', syntax: 'rd, frs1' },
  toInteger: { operands: one, rounded: true, to: 'rd', syntax: 'rd, frs1, rm' },
  fromInteger: { operands: integer, rounded: true, to: 'fd', syntax: 'frd, rs1, rm' },
  convert: { operands: one, rounded: true, to: 'fd', syntax: 'frd, frs1, rm' },
} as const satisfies Record<string, Shape>;

/** An instruction whose meaning is the helper of its name. */
export function computed(shape: keyof typeof shapes, mnemonic: string, diagram: string): Instruction {
  const { operands, rounded, to, syntax } = shapes[shape] as Shape;
  return instruction(
    mnemonic,
    diagram,
    syntax,
    float((x) => {
      const args = rounded ? [...operands(x), x.roundingMode()] : operands(x);
      x[to](x.call(helperName(mnemonic), args) as I64);
    }),
  );
}

/** The instructions that F, D and Zfh have alike, for one format. */
export function common({ suffix, fmt }: Format): Instruction[] {
  const conversions = [
    ['w', '00000'],
    ['wu', '00001'],
    ['l', '00010'],
    ['lu', '00011'],
  ] as const;
  return [
    computed('fusedMultiplyAdd', `fmadd.${suffix}`, `rs3 ${fmt} rs2 rs1 rm rd 1000011`),
    computed('fusedMultiplyAdd', `fmsub.${suffix}`, `rs3 ${fmt} rs2 rs1 rm rd 1000111`),
    computed('fusedMultiplyAdd', `fnmsub.${suffix}`, `rs3 ${fmt} rs2 rs1 rm rd 1001011`),
    computed('fusedMultiplyAdd', `fnmadd.${suffix}`, `rs3 ${fmt} rs2 rs1 rm rd 1001111`),
    computed('arithmetic', `fadd.${suffix}`, `00000${fmt} rs2 rs1 rm rd 1010011`),
    computed('arithmetic', `fsub.${suffix}`, `00001${fmt} rs2 rs1 rm rd 1010011`),
    computed('arithmetic', `fmul.${suffix}`, `00010${fmt} rs2 rs1 rm rd 1010011`),
    computed('arithmetic', `fdiv.${suffix}`, `00011${fmt} rs2 rs1 rm rd 1010011`),
    computed('root', `fsqrt.${suffix}`, `01011${fmt} 00000 rs1 rm rd 1010011`),
    computed('select', `fsgnj.${suffix}`, `00100${fmt} rs2 rs1 000 rd 1010011`),
    computed('select', `fsgnjn.${suffix}`, `00100${fmt} rs2 rs1 001 rd 1010011`),
    computed('select', `fsgnjx.${suffix}`, `00100${fmt} rs2 rs1 010 rd 1010011`),
    computed('select', `fmin.${suffix}`, `00101${fmt} rs2 rs1 000 rd 1010011`),
    computed('select', `fmax.${suffix}`, `00101${fmt} rs2 rs1 001 rd 1010011`),
    computed('compare', `fle.${suffix}`, `10100${fmt} rs2 rs1 000 rd 1010011`),
    computed('compare', `flt.${suffix}`, `10100${fmt} rs2 rs1 001 rd 1010011`),
    computed('compare', `feq.${suffix}`, `10100${fmt} rs2 rs1 010 rd 1010011`),
    computed('classify', `fclass.${suffix}`, `11100${fmt} 00000 rs1 001 rd 1010011`),
    ...conversions.flatMap(([kind, code]) => [
      computed('toInteger', `fcvt.${kind}.${suffix}`, `11000${fmt} ${code} rs1 rm rd 1010011`),
      computed('fromInteger', `fcvt.${suffix}.${kind}`, `11010${fmt} ${code} rs1 rm rd 1010011`),
    ]),
  ];
}

/** A narrower value in a 64-bit register has all upper bits set: "NaN Boxing of Narrower Values". */
export const boxed = (x: Emitter, value: I64, bits: 16 | 32): I64 =>
  bits === 32 ? box(value) : x.or(value, x.const(-1n << BigInt(bits)));
