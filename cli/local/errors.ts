/** What the local cloud cannot do with an assembly: names the input, the rule and the fix. */
export class LocalCloudError extends Error {
  override readonly name = 'LocalCloudError';
}
