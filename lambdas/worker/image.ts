/** A guest's definition and the files of its image: read from the assets, checked, and cached on disk. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError, type GuestDefinition, type GuestFiles, type ImageFile } from '../../engine/models/guest';
import { plain } from '../store/codec';
import type { S3 } from '../store/s3';
import type { CheckpointStore } from '../store/store';
import { parseDefinition } from './definition';

/** Where assets lie. */
export interface AssetSource {
  /** Undefined when there is no such asset, or none that may be read. */
  get(key: string): Promise<Uint8Array | undefined>;
}

export function s3Assets(client: S3, bucket: string): AssetSource {
  return {
    get: async (key) => {
      try {
        const { GetObjectCommand } = await import('@aws-sdk/client-s3');
        const s3 = await client();
        const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Body && (await readBody(Body as AsyncIterable<Uint8Array>, ContentLength ?? 0));
      } catch (error) {
        // Without the right to list, S3 answers a missing key with AccessDenied.
        if (error instanceof Error && MISSING.has(error.name)) return undefined;
        throw error;
      }
    },
  };
}

/** Fields of a definition that name files: one each, or a list. The contents go by the same names. */
const FILES = ['firmware', 'kernel', 'initrd'] as const satisfies readonly (keyof GuestFiles)[];
const FILE_LISTS = ['disks', 'layers'] as const satisfies readonly (keyof GuestFiles)[];

/** Into memory of the expected size at once: gathering the chunks first would take twice as much. */
async function readBody(body: AsyncIterable<Uint8Array>, expected: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(expected);
  let length = 0;
  for await (const chunk of body) {
    if (length + chunk.length > bytes.length) {
      const larger = new Uint8Array(length + chunk.length);
      larger.set(bytes.subarray(0, length));
      bytes = larger;
    }
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}

const MISSING = new Set(['NoSuchKey', 'NotFound', 'AccessDenied']);

/** Definitions by their assets' keys, which change with their contents. With a copy a restore needs the table alone. */
export type DefinitionCopies = Pick<CheckpointStore, 'definition' | 'keepDefinition'>;

export class Images {
  private readonly definitions = new Map<string, GuestDefinition>();
  private readonly uncached = new Map<string, Uint8Array>();

  /** `directory`: for copies of image files, shared with other processes of this machine. */
  constructor(
    private readonly assets: AssetSource,
    private readonly directory: string,
  ) {}

  /** @param copies where a copy may lie, or is put. @throws ImageError */
  async definition(key: string, copies?: DefinitionCopies): Promise<GuestDefinition> {
    const known = this.definitions.get(key);
    if (known !== undefined) return known;
    const copy = await copies?.definition(key);
    const text = copy ?? (await this.definitionAsset(key));
    const definition = parseDefinition(key, text);
    if (copy === undefined) await copies?.keepDefinition(key, text);
    this.definitions.set(key, definition);
    return definition;
  }

  private async definitionAsset(key: string): Promise<string> {
    const bytes = await this.assets.get(key);
    if (bytes !== undefined) return new TextDecoder().decode(bytes);
    throw new ImageError(`the guest's definition ${key} is not among the assets: deploy the stack again`);
  }

  /** The contents of the definition's files. They are not kept in memory: a guest's RAM needs it. @throws ImageError */
  async files(definition: GuestDefinition): Promise<GuestFiles> {
    const fields: Readonly<Partial<Record<string, unknown>>> = { ...definition };
    const single = FILES.map(async (name) => {
      const file = fields[name] as ImageFile | undefined;
      return [name, file && (await this.file(file))] as const;
    });
    const lists = FILE_LISTS.map(async (name) => {
      const files = fields[name] as readonly ImageFile[] | undefined;
      return [name, files && (await Promise.all(files.map((file) => this.file(file))))] as const;
    });
    const loaded = await Promise.all([...single, ...lists]);
    return Object.fromEntries(loaded.filter(([, contents]) => contents !== undefined)) as GuestFiles;
  }

  /** Copies to disk what was downloaded. Not at once: it would delay the guest that the files were loaded for. */
  async settle(): Promise<void> {
    const copies = [...this.uncached];
    this.uncached.clear();
    for (const [path, bytes] of copies) await this.cache(path, bytes);
  }

  private async file(file: ImageFile): Promise<Uint8Array> {
    const path = join(this.directory, file.sha256);
    const cached = await readFile(path).catch(() => undefined);
    if (cached !== undefined && mismatch(file, cached) === undefined) return plain(cached);

    const bytes = await this.assets.get(file.key);
    if (bytes === undefined) {
      throw new ImageError(
        `the image file ${file.name} (${file.key}) is not among the assets: deploy the stack again`,
      );
    }
    const wrong = mismatch(file, bytes);
    if (wrong !== undefined) {
      throw new ImageError(`the image file ${file.name} (${file.key}) ${wrong}: deploy the stack again`);
    }
    this.uncached.set(path, bytes);
    return bytes;
  }

  /** Best effort: a full disk costs only the next download. Other processes see the whole file or none. */
  private async cache(path: string, bytes: Uint8Array): Promise<void> {
    const partial = `${path}.${randomUUID()}`;
    try {
      await mkdir(this.directory, { recursive: true });
      await writeFile(partial, bytes);
      await rename(partial, path);
    } catch {
      return;
    }
  }
}

function mismatch(file: ImageFile, bytes: Uint8Array): string | undefined {
  if (bytes.length !== file.size) return `has ${bytes.length} bytes, not ${file.size}`;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return sha256 === file.sha256 ? undefined : `has SHA-256 ${sha256}, not ${file.sha256}`;
}
