/** A mistake of whoever typed the command: one line that names the input, the rule and the fix; exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
