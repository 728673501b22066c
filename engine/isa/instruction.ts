/** One row of the instruction table, and how an extension declares its rows. */
import type { Emitter } from './emitter';
import { type Encoding, parseEncoding } from './encoding';

export type Semantics = (x: Emitter) => void;

export interface Instruction {
  readonly mnemonic: string;
  readonly encoding: Encoding;
  /** Assembly operands, e.g. `rd, imm(rs1)`; register operands named f... are floating-point. */
  readonly syntax: string;
  readonly semantics: Semantics;
  /** Operands that the encoding implies, e.g. `{ rs1: 2 }` for the stack pointer. */
  readonly implied: Readonly<Record<string, number>>;
}

export interface Extension {
  /** As in an ISA string, lower case: `i`, `zba`. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
  /** Extensions that a hart must have too for these instructions to be there. */
  readonly besides: readonly string[];
}

export function instruction(
  mnemonic: string,
  diagram: string,
  syntax: string,
  semantics: Semantics,
  implied: Readonly<Record<string, number>> = {},
): Instruction {
  let encoding: Encoding | undefined;
  return {
    mnemonic,
    // Parsed when it is first looked at: a worker that restores a guest has its interpreter ready-made.
    get encoding() {
      return (encoding ??= parseEncoding(diagram));
    },
    syntax,
    semantics,
    implied,
  };
}

export const extension = (
  name: string,
  instructions: readonly Instruction[],
  besides: readonly string[] = [],
): Extension => ({ name, instructions, besides });
