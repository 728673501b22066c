/**
 * A guest as one file: a generation with all that it needs besides the files
 * of its image, to be taken up in another table, region or account.
 *
 *   one line of JSON (ArchiveHeader), "\n"
 *   u32 bytes of the root, the root
 *   for each pack: u8 length and bytes of its name, u8 length and bytes of its codec, u32 bytes of its body, the body
 *   u8 0, and 32 bytes SHA-256 of everything before
 */
import { createHash } from 'node:crypto';
import { neededPacks } from './checkpoint';
import { codecNamed } from './codec';
import { InputError } from './errors';
import { firstHead, writeFirst } from './fork';
import { keptGeneration } from './history';
import { parsePackName } from './keys';
import { openPack, readdress, sha256 } from './pack';
import { decodeRecord, readTable } from './opened-checkpoint';
import { decodeRoot, encodeRoot, ownerOf } from './page-index';
import type { CheckpointStore, GenerationRecord, Head, StoredPack } from './store';

const FORMAT = 'cdk-hypervisor guest';
const VERSION = 1;
/** Far above any root and any pack: bounds what a damaged length can ask for. */
const LARGEST_PIECE = 32 * 1024 * 1024;
const LONGEST_HEADER = 4 * 1024 * 1024;

interface ArchiveHeader {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly guest: string;
  readonly generation: number;
  readonly fencing: number;
  readonly codec: string;
  readonly head: GenerationRecord['head'];
  /** The guest's definition: what it was made from, with the digests of its image's files. */
  readonly definition: unknown;
}

/** @throws InputError when there is no such generation; CorruptPackError when it is damaged. */
export async function* exportGuest(
  store: CheckpointStore,
  guest: string,
  definition: unknown,
  generation?: number,
): AsyncIterable<Uint8Array> {
  const head = await store.head(guest);
  if (head === undefined || head.generation === 0) {
    throw new InputError(`guest "${guest}" has no generation to export: let it run a slice first`);
  }
  const record = await keptGeneration(store, head, generation ?? head.generation);
  const { codec, fencing } = record;
  const header: ArchiveHeader = {
    format: FORMAT,
    version: VERSION,
    guest,
    generation: record.generation,
    fencing,
    codec,
    head: record.head,
    definition,
  };
  const hash = createHash('sha256');
  const piece = (bytes: Uint8Array): Uint8Array => {
    hash.update(bytes);
    return bytes;
  };
  yield piece(Buffer.from(`${JSON.stringify(header)}\n`));
  await decodeRecord(guest, record);
  yield piece(withLength(record.root));
  const needs = await readTable(store, guest, record);
  for (const [name, id] of neededPacks(needs)) {
    const owner = ownerOf(guest, needs.lineage, id);
    await openPack(store.packs, owner, record.generation, id); // found whole
    const pack = (await store.packs.get(owner, id)) as StoredPack;
    yield piece(Buffer.concat([short(name), short(pack.codec), withLength(pack.body)]));
  }
  yield piece(Uint8Array.of(0));
  yield hash.digest();
}

export interface ImportOptions {
  /** The new guest's id. */
  readonly guest: string;
  /** Key of its definition, and the definition: of the same image, whatever its keys. */
  readonly definitionKey: string;
  readonly definition: unknown;
  readonly now: number;
}

/**
 * Makes a guest of an archive. Its head is the last thing that is written, so an import that is cut short has made no
 * guest and can be done again. The caller sends the guest's token.
 * @throws InputError when the file is no whole archive, its image is another one, or the guest has run already.
 */
export async function importGuest(
  store: CheckpointStore,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<Head> {
  const { guest, now } = options;
  const existing = await store.head(guest);
  if (existing !== undefined && (existing.generation > 0 || existing.lease !== undefined)) {
    throw new InputError(`guest "${guest}" has run already: import under another id`);
  }
  const input = new Input(source);
  const header = await readHeader(input);
  checkSameImage(header.definition, options.definition);
  const root = await input.long();
  const codec = codecNamed(header.codec);
  if (codec === undefined)
    throw damaged(`its codec is ${JSON.stringify(header.codec)}, which this version does not know`);
  for (;;) {
    const name = await input.short();
    if (name === '') break;
    const packCodec = await input.short();
    const body = readdress(await input.long(), guest);
    await store.packs.put(guest, parsePackName(name), { codec: packCodec, sha256: sha256(body), body });
  }
  await input.end();

  const decoded = decodeRoot(await codec.decompress(root, LARGEST_PIECE));
  const { generation, fencing } = header;
  const record: GenerationRecord = {
    generation,
    fencing,
    parent: { generation: 0, fencing: 0 },
    codec: header.codec,
    sha256: sha256(root),
    root,
    ...(header.head === undefined ? {} : { head: header.head }),
  };
  await writeFirst(store, guest, record, encodeRoot({ ...decoded, lineage: [] }), now);
  const first = firstHead(guest, options.definitionKey, record, now);
  const next = { ...first, fencing: Math.max(fencing, (existing?.fencing ?? 0) + 1) };
  const made =
    existing === undefined ? (await store.createHead(next)) === next : await store.swapHead(existing, next);
  if (!made) throw new InputError(`guest "${guest}" was started meanwhile: import under another id`);
  return next;
}

const damaged = (found: string): InputError =>
  new InputError(`the file is no whole archive of a guest: ${found}; export the guest again`);

async function readHeader(input: Input): Promise<ArchiveHeader> {
  const line = await input.line();
  let header: Partial<ArchiveHeader> | undefined;
  try {
    header = JSON.parse(line) as ArchiveHeader;
  } catch {
    throw damaged('it does not begin as one');
  }
  if (header?.format !== FORMAT) throw damaged('it does not begin as one');
  if (header.version !== VERSION)
    throw damaged(`its format is version ${String(header.version)}, not ${VERSION}`);
  return header as ArchiveHeader;
}

/** Fields that make a machine what its state says it is; keys of assets differ from deployment to deployment. */
function checkSameImage(archived: unknown, given: unknown): void {
  const essence = (definition: unknown): string => JSON.stringify(withoutPlaces(definition));
  if (essence(archived) === essence(given)) return;
  throw new InputError(
    'the archive was made by a guest with another definition (model, memory, CPU features, clock or image files): ' +
      'declare a guest with the same one, and import into that',
  );
}

/** Budgets and slice lengths are the host's business. */
const PLACES = new Set(['key', 'name', 'breaker', 'sliceInstructions']);

function withoutPlaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => !PLACES.has(name));
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, withoutPlaces(v)]),
  );
}

function short(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

function withLength(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Reads pieces off a stream and hashes them. */
class Input {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private buffer: Buffer = Buffer.alloc(0);
  private readonly hash = createHash('sha256');

  constructor(source: AsyncIterable<Uint8Array>) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (let at = 0; ;) {
      const end = this.buffer.indexOf(10, at);
      if (end >= 0) return (await this.take(end + 1)).toString().trimEnd();
      at = this.buffer.length;
      if (at > LONGEST_HEADER || !(await this.more())) throw damaged('it does not begin as one');
    }
  }
  async short(): Promise<string> {
    const [length = 0] = await this.take(1);
    return (await this.take(length)).toString();
  }
  async long(): Promise<Uint8Array> {
    const length = (await this.take(4)).readUInt32LE();
    if (length > LARGEST_PIECE) throw damaged(`a part of it claims ${length} bytes`);
    return new Uint8Array(await this.take(length));
  }
  async end(): Promise<void> {
    const actual = this.hash.digest();
    while (this.buffer.length < actual.length && (await this.more()));
    if (Buffer.compare(this.buffer, actual) !== 0)
      throw damaged('its SHA-256 differs from the one at its end');
  }

  private async take(length: number): Promise<Buffer> {
    while (this.buffer.length < length) if (!(await this.more())) throw damaged('it is cut off');
    const taken = this.buffer.subarray(0, length);
    this.buffer = this.buffer.subarray(length);
    this.hash.update(taken);
    return taken;
  }
  private async more(): Promise<boolean> {
    const next = await this.chunks.next();
    if (next.done === true) return false;
    this.buffer = Buffer.concat([this.buffer, next.value]);
    return true;
  }
}
