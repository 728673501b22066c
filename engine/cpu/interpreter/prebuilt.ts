/** The interpreters as they were generated when the package was built: see scripts/build-engine.ts. */
import { interpreters } from '../../generated/interpreter';

export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** What a hart needs of its interpreter. */
export interface InterpreterCode {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly index: Uint8Array;
}

/** The prebuilt interpreter, when there is one of just these extensions. */
export function prebuilt(extensions: readonly string[]): InterpreterCode | undefined {
  const key = extensions.join();
  const built = interpreters.find((each) => each.extensions === key);
  return built && { module: decodeBase64(built.module), index: decodeBase64(built.index) };
}
