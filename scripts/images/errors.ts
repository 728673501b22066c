/** Why the images could not be had. The message is whole: what failed, and what to do about it. */
export class ImagesError extends Error {
  constructor(
    message: string,
    /** `unavailable`: this machine lacks a program or cannot reach a mirror, so a test run may skip what needs images. */
    readonly kind: 'unavailable' | 'invalid',
  ) {
    super(message);
    this.name = 'ImagesError';
  }

  /** sysexits.h: EX_UNAVAILABLE tells a caller to skip, EX_DATAERR to stop. */
  get exitCode(): number {
    return this.kind === 'unavailable' ? 69 : 65;
  }
}
