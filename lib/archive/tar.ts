/**
 * Writes a directory as a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"; long names as pax extended
 * headers), the same bytes for the same files: entries sorted, everything owned by 0:0, times zero.
 *
 * A writer of our own, since it is these few lines: the packages that write tar are asynchronous, and constructs
 * are made synchronously; and users would have to install one for it. Apart from the constructs since the command
 * `hv` packs directories the same way.
 */
import * as fs from 'fs';
import * as path from 'path';

const BLOCK = 512;
const CHUNK = 1 << 20;
/** Two blocks of zeros end an archive. */
const END_BLOCKS = 2;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** Eleven octal digits. */
const LARGEST_FILE = 0o77777777777;

/** Values of the header's `typeflag`. */
const TYPE = { file: '0', hardLink: '1', symbolicLink: '2', characters: '3', blocks: '4', directory: '5', fifo: '6', extended: 'x' } as const; // prettier-ignore

interface Entry {
  readonly name: string;
  readonly type: (typeof TYPE)[keyof typeof TYPE];
  readonly mode: number;
  /** Bytes of contents that follow. */
  readonly size?: number;
  readonly link?: string;
  readonly device?: { readonly major: number; readonly minor: number };
}

/** Takes the archive piece by piece; the pieces are its own. */
export type TarSink = (bytes: Uint8Array) => void;

/** Sockets are left out, as other writers do: they mean nothing without the process behind them. */
export function writeTar(directory: string, write: TarSink): void {
  /** Names of files with several names, by their inode. */
  const linked = new Map<string, string>();
  const visit = (name: string): void => {
    const source = path.join(directory, name);
    const status = fs.lstatSync(source);
    const mode = status.mode & 0o7777;
    if (status.isDirectory()) {
      writeHeader(write, { name: `${name}/`, type: TYPE.directory, mode });
      for (const child of sorted(source)) visit(`${name}/${child}`);
    } else if (status.isSymbolicLink()) {
      writeHeader(write, { name, type: TYPE.symbolicLink, mode: 0o777, link: fs.readlinkSync(source) });
    } else if (status.isFile()) {
      const inode = `${status.dev}:${status.ino}`;
      const first = linked.get(inode);
      if (first !== undefined) return writeHeader(write, { name, type: TYPE.hardLink, mode, link: first });
      if (status.nlink > 1) linked.set(inode, name);
      writeFile(write, { name, mode, source, size: status.size });
    } else if (status.isFIFO()) {
      writeHeader(write, { name, type: TYPE.fifo, mode });
    } else if (status.isCharacterDevice() || status.isBlockDevice()) {
      const type = status.isBlockDevice() ? TYPE.blocks : TYPE.characters;
      writeHeader(write, { name, type, mode, device: deviceNumbers(status.rdev) });
    }
  };
  for (const child of sorted(directory)) visit(child);
  write(new Uint8Array(END_BLOCKS * BLOCK));
}

/** By code units, so the same on every machine, whatever its locale. */
function sorted(directory: string): string[] {
  return fs.readdirSync(directory).sort((a, b) => (a < b ? -1 : 1));
}

/** Linux, include/linux/kdev_t.h: `new_encode_dev`. */
function deviceNumbers(device: number): { major: number; minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
}

function writeFile(
  write: TarSink,
  {
    name,
    mode,
    source,
    size,
  }: { readonly name: string; readonly mode: number; readonly source: string; readonly size: number },
): void {
  writeHeader(write, { name, type: TYPE.file, mode, size });
  const file = fs.openSync(source, 'r');
  try {
    let left = size;
    while (left > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const count = fs.readSync(file, chunk, 0, chunk.length, null);
      if (count === 0) throw new Error(`${source} became shorter while it was read; run the synthesis again`);
      write(chunk.subarray(0, count));
      left -= count;
    }
    write(new Uint8Array(padding(size)));
  } finally {
    fs.closeSync(file);
  }
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

function writeHeader(write: TarSink, entry: Entry): void {
  const split = splitName(entry.name);
  const records = [
    ...(split === undefined ? [extendedRecord('path', entry.name)] : []),
    ...(entry.link !== undefined && Buffer.byteLength(entry.link) > NAME_BYTES
      ? [extendedRecord('linkpath', entry.link)]
      : []),
    ...((entry.size ?? 0) > LARGEST_FILE ? [extendedRecord('size', String(entry.size))] : []),
  ];
  if (records.length > 0) {
    const contents = Buffer.concat(records);
    write(
      header(
        { name: 'pax', type: TYPE.extended, mode: 0o644, size: contents.length },
        { prefix: '', name: 'pax' },
      ),
    );
    write(contents);
    write(new Uint8Array(padding(contents.length)));
  }
  write(header(entry, split ?? { prefix: '', name: cut(entry.name) }));
}

/** Prefix and name, parted at a slash; undefined when the fields do not hold it. */
function splitName(name: string): { prefix: string; name: string } | undefined {
  if (Buffer.byteLength(name) <= NAME_BYTES) return { prefix: '', name };
  for (
    let slash = name.indexOf('/');
    slash > 0 && slash < name.length - 1;
    slash = name.indexOf('/', slash + 1)
  ) {
    const [prefix, rest] = [name.slice(0, slash), name.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_BYTES && Buffer.byteLength(rest) <= NAME_BYTES)
      return { prefix, name: rest };
  }
  return undefined;
}

/** What readers without pax see; the field's end may cut a character. */
function cut(text: string): string {
  return Buffer.from(text)
    .subarray(0, NAME_BYTES)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '_');
}

/** "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
function extendedRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/**
 * byte 0: name[100] mode[8] uid[8] gid[8] size[12] mtime[12] chksum[8] typeflag[1] linkname[100], 257: magic[6]
 * version[2] uname[32] gname[32] devmajor[8] devminor[8], 345: prefix[155].
 */
function header(entry: Entry, { prefix, name }: { readonly prefix: string; readonly name: string }): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
  };
  block.write(name, 0);
  octal(entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(Math.min(entry.size ?? 0, LARGEST_FILE), 124, 12);
  octal(0, 136, 12);
  block.write(entry.type, 156, 'latin1');
  if (entry.link !== undefined)
    block.write(Buffer.byteLength(entry.link) > NAME_BYTES ? cut(entry.link) : entry.link, 157);
  block.write('ustar\x0000', 257, 'latin1');
  octal(entry.device?.major ?? 0, 329, 8);
  octal(entry.device?.minor ?? 0, 337, 8);
  block.write(prefix, 345);
  // The sum of all bytes, with blanks for its own field.
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Whether a file's first bytes are the header of a tar archive, of whatever dialect: its checksum holds. */
export function isTarHeader(block: Uint8Array): boolean {
  if (block.length < BLOCK) return false;
  const field = Buffer.from(block.subarray(148, 156))
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim();
  if (!/^[0-7]+$/.test(field)) return false;
  const sum = block
    .subarray(0, BLOCK)
    .reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum === parseInt(field, 8);
}
