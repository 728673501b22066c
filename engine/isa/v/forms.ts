// The shapes of vector arithmetic. "Vector Extension", sections "Vector Arithmetic Instruction Formats" and
// "Vector Instruction Listing": funct3 says where the second source comes from, funct6 which operation it is.
//
// The meaning of a row is its family's helper. It gets the word, from which it takes register numbers and the
// operation, and the scalar operand's value; all rows of a family and source share one function, and a back end may
// share their code.
import type { Emitter, I64 } from '../emitter';
import { type Instruction, type Semantics, instruction } from '../instruction';

/** OPI: integers; OPM: integers that need multipliers, and masks; OPF: floating point. */
export type Category = 'OPI' | 'OPM' | 'OPF';

/** The second source: a vector group, an integer or floating-point register, a signed or unsigned immediate. */
type Source = 'v' | 'x' | 'f' | 'i' | 'u';

const funct3: Readonly<Record<Category, Partial<Record<Source, string>>>> = {
  OPI: { v: '000', x: '100', i: '011', u: '011' },
  OPM: { v: '010', x: '110' },
  OPF: { v: '001', f: '101' },
};

interface SourceForm {
  readonly field: string;
  readonly syntax: string;
  readonly value: (x: Emitter) => I64;
}

const sources: Readonly<Record<Source, SourceForm>> = {
  v: { field: 'vs1', syntax: 'vs1', value: (x) => x.const(0) },
  x: { field: 'rs1', syntax: 'rs1', value: (x) => x.rs1 },
  f: { field: 'rs1', syntax: 'frs1', value: (x) => x.fs1 },
  i: { field: 'imm[4:0]', syntax: 'imm', value: (x) => x.imm },
  u: { field: 'uimm', syntax: 'imm', value: (x) => x.imm },
};

/** Whether `vm` may be either, must be 0 (the mask is an operand, v0), or must be 1. */
type Masking = 'optional' | 'operand' | 'none';
const maskField: Readonly<Record<Masking, string>> = { optional: 'vm', operand: '0', none: '1' };
const maskSyntax: Readonly<Record<Masking, string>> = { optional: ', vm', operand: ', v0', none: '' };

export interface RowOptions {
  readonly masking?: Masking;
  /** Multiply-add instructions name vs1 before vs2. */
  readonly addend?: boolean;
}

/** How each helper is called, one function a source. */
export function family(helper: string): (source: Source) => Semantics {
  const known = new Map<Source, Semantics>();
  return (source) => {
    const { value } = sources[source];
    const semantics = known.get(source) ?? ((x: Emitter): void => x.perform(helper, [x.word, value(x)]));
    known.set(source, semantics);
    return semantics;
  };
}

/**
 * The instructions of one line of the manual's listing.
 * @param forms e.g. `vv vx vi`: the last letters of the mnemonics; `vu` is `.vi` with an unsigned immediate, and
 * an `m` behind them says that v0 is an operand.
 */
export function row(
  semantics: (source: Source) => Semantics,
  category: Category,
  name: string,
  funct6: string,
  forms: string,
  options: RowOptions = {},
): Instruction[] {
  return forms.split(' ').map((form) => {
    const source = form[1] as Source;
    const { field, syntax } = sources[source];
    const masking = options.masking ?? (form.endsWith('m') ? 'operand' : 'optional');
    const operands = options.addend ? `${syntax}, vs2` : `vs2, ${syntax}`;
    return instruction(
      `${name}.${form.replace('u', 'i')}`,
      `${funct6} ${maskField[masking]} vs2 ${field} ${funct3[category][source]!} vd 1010111`,
      `vd, ${operands}${maskSyntax[masking]}`,
      semantics(source),
    );
  });
}

/** An instruction with one vector source, whose vs1 field is a part of the operation. */
export const unary = (
  semantics: Semantics,
  category: Category,
  mnemonic: string,
  funct6: string,
  code: string,
): Instruction =>
  instruction(
    mnemonic,
    `${funct6} vm vs2 ${code} ${funct3[category].v!} vd 1010111`,
    'vd, vs2, vm',
    semantics,
  );

/** Calls a helper that needs no more than the word. */
export const byWord =
  (helper: string): Semantics =>
  (x) =>
    x.perform(helper, [x.word]);

/** The same for one whose result goes to an integer register. */
export const toInteger =
  (helper: string): Semantics =>
  (x) =>
    x.rd(x.call(helper, [x.word]) as I64);
