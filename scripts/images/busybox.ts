/**
 * The applets that a busybox binary was built with. The binary cannot be run here (it is the guest's), but it holds
 * their names as one block, sorted, each ended by a NUL and the block by a second one (busybox, libbb/appletlib.c).
 *
 * @throws Error when the block is not found
 */
export function appletNames(busybox: Uint8Array): string[] {
  const bytes = Buffer.from(busybox.buffer, busybox.byteOffset, busybox.byteLength);
  // "[" and "[[" sort first.
  const start = bytes.indexOf('[\0[[\0', 0, 'latin1');
  const end = start < 0 ? -1 : bytes.indexOf('\0\0', start, 'latin1');
  const names = end < 0 ? [] : bytes.toString('latin1', start, end).split('\0');
  const valid = names.every((name) => /^[a-zA-Z0-9_.[-]+$/.test(name));
  if (!valid || !names.includes('sh') || !names.includes('mount')) {
    throw new Error(
      'no list of applets in the busybox binary: the package `busybox-static` has changed its form',
    );
  }
  return names;
}
