/** The interpreter as it was generated when the package was built: see scripts/build-engine.ts. */
import { interpreterExtensions, interpreterIndex, interpreterModule } from '../../generated/interpreter';

export const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** What a hart needs of its interpreter. */
export interface InterpreterCode {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly index: Uint8Array;
}

/** The prebuilt interpreter, when it is one of just these extensions. */
export function prebuilt(extensions: readonly string[]): InterpreterCode | undefined {
  if (extensions.join() !== interpreterExtensions) return undefined;
  return {
    module: decodeBase64(interpreterModule),
    index: decodeBase64(interpreterIndex),
  };
}
