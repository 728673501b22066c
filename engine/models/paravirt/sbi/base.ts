/** Base extension. SBI 3.0, chapter 4. */
import { type SbiExtension, type SbiFunction, ok } from './sbi';

const BASE = 0x10n;
/** Major version in bits 30 to 24, minor below. */
const SPECIFICATION = 3n << 24n;
/** Not among the registered implementations. */
const IMPLEMENTATION = 0x6364_6b68n; // "cdkh"
const IMPLEMENTATION_VERSION = 1n;

/** Its own functions include the probe, so the others have to be given. */
export function baseExtension(others: readonly SbiExtension[]): SbiExtension {
  const constant =
    (value: bigint): SbiFunction =>
    () =>
      ok(value);
  return {
    name: 'BASE',
    id: BASE,
    functions: [
      constant(SPECIFICATION),
      constant(IMPLEMENTATION),
      constant(IMPLEMENTATION_VERSION),
      (_machine, [id]) => ok(id === BASE || others.some((extension) => extension.id === id) ? 1n : 0n),
      constant(0n), // mvendorid
      constant(0n), // marchid
      constant(0n), // mimpid
    ],
  };
}
