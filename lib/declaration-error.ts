/**
 * A declaration that cannot become a guest, found at synth. The message names the input, the rule that it
 * breaks and the fix, so that it can be acted on without the stack trace.
 */
export class DeclarationError extends Error {
  override readonly name = 'DeclarationError';

  constructor(
    /** What the user wrote: a file, a property, a construct's path. */
    readonly input: string,
    /** What is wrong with it. */
    readonly rule: string,
    /** What to do about it. */
    readonly fix: string,
  ) {
    super(`${input}: ${rule}. ${fix}.`);
  }
}
