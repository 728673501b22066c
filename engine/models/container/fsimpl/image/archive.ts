/**
 * Reads tar archives: ustar (POSIX.1-1988), pax extended headers
 * (POSIX.1-2001) and GNU long names; tar(5).
 *
 * A parser of our own because the engine has no Node modules, which those of
 * npm need, and because contents must stay views into the archive instead of
 * being streamed out of it.
 */
import { ImageError } from '../../../image-error';
import { fromBytes, toText, type ByteString } from '../../vfs/name';

export type ArchiveType =
  'file' | 'hard link' | 'symbolic link' | 'character device' | 'block device' | 'directory' | 'fifo';

/** One entry as it stands in the archive: nothing of its names is checked. */
export interface ArchiveEntry {
  readonly path: ByteString;
  readonly type: ArchiveType;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the Unix epoch. */
  readonly mtime: bigint;
  /** Target of both kinds of links. */
  readonly link: ByteString;
  readonly major: number;
  readonly minor: number;
  /** A view into the archive. */
  readonly contents: Uint8Array;
}

const BLOCK = 512;
const NANOSECONDS = 1_000_000_000n;
/** An id or a device number above this has no meaning to Linux. */
const MAX_U32 = 0xffffffff;

/** Fields of a header block: offset and length. */
const field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  link: [157, 100],
  magic: [257, 6],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const;

const types: Readonly<Record<string, ArchiveType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file', // contiguous
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'character device',
  '4': 'block device',
  '5': 'directory',
  '6': 'fifo',
};

/** Headers that say something about the entry after them. */
type Extension = 'pax' | 'pax for all' | 'long name' | 'long link' | 'nothing';
const extensions: Readonly<Record<string, Extension>> = {
  x: 'pax',
  X: 'pax',
  g: 'pax for all',
  L: 'long name',
  K: 'long link',
  V: 'nothing', // volume label
};

type Attributes = Map<string, ByteString>;

/**
 * @param name the archive's, for messages
 * @throws ImageError naming archive and entry
 */
export function* readArchive(archive: Uint8Array, name: string): Generator<ArchiveEntry> {
  if (archive[0] === 0x1f && archive[1] === 0x8b) {
    throw new ImageError(
      `layer ${name} is compressed by gzip; give the tar archive itself (gunzip it first)`,
    );
  }
  const forAll: Attributes = new Map();
  let forNext: Attributes = new Map();
  for (let at = 0; ;) {
    const fail = (problem: string, path = `the entry at byte ${at}`): ImageError =>
      new ImageError(`layer ${name}, ${path}: ${problem}`);
    if (at + BLOCK > archive.length) {
      throw fail('the archive ends without its end mark, so it was cut short; make or fetch it again');
    }
    const block = archive.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return;
    checkSum(block, fail);
    const letter = String.fromCharCode(block[156]!);
    const own = new Map([...forAll, ...forNext]);
    const path = own.get('path') ?? headerPath(block);
    const failEntry = (problem: string): ImageError => fail(problem, `entry "${toText(path)}"`);
    const extension = extensions[letter];
    const size = extension ? numeric(block, 'size', fail) : attributeNumber(own, 'size', block, failEntry);
    const start = at + BLOCK;
    if (size > archive.length - start) {
      throw failEntry(
        `its ${size} bytes go past the archive's end, so it was cut short; make or fetch it again`,
      );
    }
    const contents = archive.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    if (extension) {
      extend(extension, contents, forNext, forAll, fail);
      continue;
    }
    forNext = new Map();
    const type = types[letter];
    if (!type || own.has('GNU.sparse.major') || own.has('GNU.sparse.map')) {
      const what = type ? 'a sparse file' : `of type ${JSON.stringify(letter)}`;
      throw failEntry(`it is ${what}, which is not supported; archive it as a plain file`);
    }
    yield {
      path,
      // Before ustar directories were files whose name ends in a slash.
      type: type === 'file' && path.endsWith('/') ? 'directory' : type,
      mode: numeric(block, 'mode', failEntry) & 0o7777,
      uid: attributeNumber(own, 'uid', block, failEntry, MAX_U32),
      gid: attributeNumber(own, 'gid', block, failEntry, MAX_U32),
      mtime: modified(own, block, failEntry),
      link: own.get('linkpath') ?? textField(block, 'link'),
      major: type.endsWith('device') ? numeric(block, 'major', failEntry) & 0xfff : 0,
      minor: type.endsWith('device') ? numeric(block, 'minor', failEntry) & 0xfffff : 0,
      contents: type === 'file' ? contents : contents.subarray(0, 0),
    };
  }
}

type Fail = (problem: string) => ImageError;

function extend(kind: Extension, contents: Uint8Array, next: Attributes, all: Attributes, fail: Fail): void {
  if (kind === 'long name') next.set('path', untilZero(contents));
  else if (kind === 'long link') next.set('linkpath', untilZero(contents));
  else if (kind === 'pax') readAttributes(contents, next, fail);
  else if (kind === 'pax for all') readAttributes(contents, all, fail);
}

/** Records `length key=value\n`, the length counting itself. */
function readAttributes(contents: Uint8Array, into: Attributes, fail: Fail): void {
  for (let at = 0; at < contents.length && contents[at] !== 0;) {
    const space = contents.indexOf(0x20, at);
    const digits = space < 0 ? '' : fromBytes(contents.subarray(at, Math.min(space, at + 20)));
    const length = /^\d+$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = contents.indexOf(0x3d, space);
    if (end > contents.length || length < 5 || equals < 0 || equals >= end || contents[end - 1] !== 0x0a) {
      throw fail('its pax header is malformed; make the archive again');
    }
    const key = fromBytes(contents.subarray(space + 1, equals));
    const value = fromBytes(contents.subarray(equals + 1, end - 1));
    if (value === '') into.delete(key);
    else into.set(key, value);
    at = end;
  }
}

function checkSum(block: Uint8Array, fail: Fail): void {
  const [start, length] = field.checksum;
  let unsigned = 0;
  let signed = 0;
  block.forEach((byte, index) => {
    const counted = index >= start && index < start + length ? 0x20 : byte;
    unsigned += counted;
    signed += counted > 127 ? counted - 256 : counted; // some historical writers
  });
  const noHeader = (): ImageError =>
    fail('this is no tar header (its checksum is wrong); give a tar archive');
  const stored = numeric(block, 'checksum', noHeader);
  if (stored !== unsigned && stored !== signed) throw noHeader();
}

function headerPath(block: Uint8Array): ByteString {
  const name = textField(block, 'name');
  // GNU's own format ("ustar  ") uses the prefix's place for other things.
  const isUstar = fromBytes(block.subarray(field.magic[0], field.magic[0] + field.magic[1])) === 'ustar\0';
  const prefix = isUstar ? textField(block, 'prefix') : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function untilZero(bytes: Uint8Array): ByteString {
  const end = bytes.indexOf(0);
  return fromBytes(end < 0 ? bytes : bytes.subarray(0, end));
}
const raw = (block: Uint8Array, of: keyof typeof field): Uint8Array => {
  const [start, length] = field[of];
  return block.subarray(start, start + length);
};
const textField = (block: Uint8Array, of: keyof typeof field): ByteString => untilZero(raw(block, of));

/** Octal digits, or GNU's base 256 when the first bit is set. */
function numeric(block: Uint8Array, of: keyof typeof field, fail: Fail): number {
  const bytes = raw(block, of);
  if (bytes[0]! & 0x80) {
    const value = bytes.reduce(
      (sum, byte, index) => sum * 256n + BigInt(index === 0 ? byte & 0x7f : byte),
      0n,
    );
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fail(`its ${of} is negative or too large`);
    return Number(value);
  }
  const digits = untilZero(bytes).trim();
  if (!/^[0-7]*$/.test(digits)) throw fail(`its ${of} ${JSON.stringify(digits)} is not an octal number`);
  return digits === '' ? 0 : parseInt(digits, 8);
}

function attributeNumber(
  attributes: Attributes,
  of: 'size' | 'uid' | 'gid',
  block: Uint8Array,
  fail: Fail,
  limit = Number.MAX_SAFE_INTEGER,
): number {
  const text = attributes.get(of);
  const value = text === undefined ? numeric(block, of, fail) : /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!(value <= limit))
    throw fail(`its ${of} ${JSON.stringify(text ?? value)} is not a number up to ${limit}`);
  return value;
}

function modified(attributes: Attributes, block: Uint8Array, fail: Fail): bigint {
  const text = attributes.get('mtime');
  if (text === undefined) {
    // Times before the epoch are negative in base 256; such a file is as old as the epoch here.
    return raw(block, 'mtime')[0] === 0xff ? 0n : BigInt(numeric(block, 'mtime', fail)) * NANOSECONDS;
  }
  const match = /^(-?)(\d{1,10})(?:\.(\d*))?$/.exec(text);
  if (!match) throw fail(`its mtime ${JSON.stringify(text)} is not a number of seconds`);
  const [, sign, seconds, fraction = ''] = match;
  const value = BigInt(seconds!) * NANOSECONDS + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign ? -value : value;
}
