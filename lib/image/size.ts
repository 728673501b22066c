export const MEBIBYTE = 1 << 20;

/** Bytes as whole mebibytes, rounded up, for messages. */
export function describeSize(bytes: number): string {
  return `${Math.ceil(bytes / MEBIBYTE)} MiB`;
}
