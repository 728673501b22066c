/** A saved payload that cannot be taken back: wrong kind, wrong version, or malformed. */
export class StateError extends Error {
  override readonly name = 'StateError';
}
