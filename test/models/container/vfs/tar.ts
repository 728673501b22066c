/** Builds tar archives for tests, honest ones and others. */
const BLOCK = 512;

export interface TarEntry {
  readonly name: string;
  /** Type letter; default '0', a file. */
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly link?: string;
  readonly contents?: Uint8Array | string;
  readonly major?: number;
  readonly minor?: number;
  /** What the header claims as size, when not the contents' length. */
  readonly claimedSize?: number;
  readonly magic?: string;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

export function tarEntry(entry: TarEntry): Uint8Array {
  const contents = Buffer.from(entry.contents ?? '');
  const bytes = Buffer.alloc(BLOCK + Math.ceil(contents.length / BLOCK) * BLOCK);
  const put = (at: number, text: string): void => void bytes.write(text, at, 'latin1');
  put(0, entry.name.slice(0, 100));
  put(100, octal(entry.mode ?? (entry.type === '5' ? 0o755 : 0o644), 8));
  put(108, octal(entry.uid ?? 0, 8));
  put(116, octal(entry.gid ?? 0, 8));
  put(124, octal(entry.claimedSize ?? contents.length, 12));
  put(136, octal(entry.mtime ?? 0, 12));
  put(148, ' '.repeat(8));
  put(156, entry.type ?? '0');
  put(157, (entry.link ?? '').slice(0, 100));
  put(257, entry.magic ?? 'ustar\0' + '00');
  put(329, octal(entry.major ?? 0, 8));
  put(337, octal(entry.minor ?? 0, 8));
  const sum = bytes.subarray(0, BLOCK).reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  bytes.set(contents, BLOCK);
  return bytes;
}

/** With its end mark. */
export const tar = (...entries: readonly TarEntry[]): Uint8Array =>
  Buffer.concat([...entries.map(tarEntry), Buffer.alloc(2 * BLOCK)]);

/** A pax header for the entry that follows. */
export function pax(attributes: Readonly<Record<string, string>>, type = 'x'): TarEntry {
  const records = Object.entries(attributes).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest);
    while (String(length).length + Buffer.byteLength(rest) !== length) length++;
    return `${length}${rest}`;
  });
  return { name: 'pax', type, contents: records.join('') };
}
