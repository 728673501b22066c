/** A kernel image as code: its words, disassembled, with the hypercalls known. */
import { disassemble } from '../../../isa/disassembler';
import { instructionsOf, ofModels, optional } from '../../../isa/table';

/** All that a kernel may hold, and what the porter puts there. */
export const instructionTable = instructionsOf([...optional, ...ofModels].map(({ name }) => name));

export interface CodeLine {
  readonly text: string;
  /** Bytes: 2 or 4. */
  readonly length: 2 | 4;
}

/** The instruction at an offset; undefined outside the image. */
export function lineAt(image: DataView, offset: number): CodeLine | undefined {
  if (offset < 0 || offset % 2 !== 0 || offset + 4 > image.byteLength) return undefined;
  const word = image.getUint32(offset, true);
  return { text: disassemble(word, instructionTable), length: (word & 3) === 3 ? 4 : 2 };
}
