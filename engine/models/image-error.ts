/** An image that cannot become a guest: names the input, the rule and the fix. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}
