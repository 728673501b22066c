/** What U-mode has of a hart, as bytes: the context of a container's thread. */
import * as at from './layout';

/** No vector type is set: "Vector Start State" leaves it open, and this is what QEMU does. */
export const VILL = 1n << 63n;

/** Whether a hart with these extensions has vector registers at all: V, or the least of its subsets. */
export const hasVectors = (extensions: readonly string[]): boolean => extensions.includes('zve32x');

/** Piece by piece: x0 to x31, f0 to f31, pc; fflags and frm; v0 to v31, vstart, vxsat, vxrm, vl, vtype. */
const contextPieces: readonly (readonly [from: number, to: number])[] = [
  [at.X, at.PRIVILEGE],
  [at.FFLAGS, at.FRM + 8],
  [at.V, at.VTYPE + 8],
];
export const CONTEXT_SIZE = contextPieces.reduce((size, [from, to]) => size + to - from, 0);
/** Where the vector registers are in a context, and the five cells behind them. */
export const CONTEXT_VECTORS = at.PRIVILEGE - at.X + 16;
export const CONTEXT_VECTOR_CELLS = CONTEXT_VECTORS + at.VSTART - at.V;

/** @param memory the guest's linear memory */
export function readContext(memory: Uint8Array): Uint8Array {
  const context = new Uint8Array(CONTEXT_SIZE);
  let place = 0;
  for (const [from, to] of contextPieces) {
    context.set(memory.subarray(from, to), place);
    place += to - from;
  }
  return context;
}

export function writeContext(memory: Uint8Array, context: Uint8Array): void {
  let place = 0;
  for (const [from, to] of contextPieces) memory.set(context.subarray(place, (place += to - from)), from);
}
