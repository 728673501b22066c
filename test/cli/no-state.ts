/** For commands that look at no host. */
export function noState(): never {
  throw new Error('this command has to do with no host');
}
