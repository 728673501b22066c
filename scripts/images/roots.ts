/** Root file systems for containers, as tar archives. */
import { appletNames } from './busybox';
import { type TarEntry, writeTar } from './tar';

const directories: readonly TarEntry[] = [
  ...['bin', 'dev', 'etc', 'proc', 'root', 'usr'].map((path) => ({ kind: 'directory', path }) as const),
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
];
const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const accounts: readonly TarEntry[] = [
  { kind: 'file', path: 'etc/passwd', content: text('root:x:0:0:root:/root:/bin/sh\n') },
  { kind: 'file', path: 'etc/group', content: text('root:x:0:\n') },
];

/** Nothing but busybox: its applets are links to it. */
export function busyboxRoot(busybox: Uint8Array): Uint8Array {
  return writeTar([
    ...directories,
    ...accounts,
    { kind: 'file', path: 'bin/busybox', content: busybox, mode: 0o755 },
    ...appletNames(busybox)
      .filter((applet) => applet !== 'busybox')
      .map((applet) => ({ kind: 'link', path: `bin/${applet}`, target: 'busybox' }) as const),
  ]);
}
