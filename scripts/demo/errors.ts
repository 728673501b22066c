/** Something that the demonstration shows did not come to pass. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
