/** A ustar archive, as an OCI layer is one: POSIX.1-1988, "ustar Interchange Format". Same entries, same bytes. */
export type TarEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

const BLOCK = 512;
const types = { file: '0', link: '2', directory: '5' } as const;
const modes = { file: 0o644, link: 0o777, directory: 0o755 } as const;

/** @throws RangeError for a path or target that a header cannot hold */
export function writeTar(entries: readonly TarEntry[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const entry of entries) {
    blocks.push(header(entry));
    if (entry.kind !== 'file') continue;
    const padded = new Uint8Array(Math.ceil(entry.content.length / BLOCK) * BLOCK);
    padded.set(entry.content);
    blocks.push(padded);
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return new Uint8Array(Buffer.concat(blocks));
}

function header(entry: TarEntry): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number, room: number): void => {
    if (Buffer.byteLength(text) > room)
      throw new RangeError(`tar: "${text}" does not fit into ${room} bytes`);
    block.write(text, at, 'utf8');
  };
  const octal = (value: number, at: number, digits: number): void =>
    put(`${value.toString(8).padStart(digits, '0')}\0`, at, digits + 1);
  const { name, prefix } = splitPath(entry.kind === 'directory' ? `${entry.path}/` : entry.path);
  put(name, 0, 100);
  octal(entry.kind === 'link' ? modes.link : (entry.mode ?? modes[entry.kind]), 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(entry.kind === 'file' ? entry.content.length : 0, 124, 11);
  octal(0, 136, 11);
  put(types[entry.kind], 156, 1);
  if (entry.kind === 'link') put(entry.target, 157, 100);
  put('ustar\u000000', 257, 8);
  put(prefix, 345, 155);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}

/** Long paths: the last 100 bytes are the name, cut at a slash; what is before, the prefix. */
function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - 101);
  if (slash <= 0) throw new RangeError(`tar: "${path}" is too long`);
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}
