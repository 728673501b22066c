/**
 * Packs in an S3 bucket: for large guests, since an object costs by the request
 * and not by the kilobyte. Heads and all that must be conditional stay in the
 * table.
 *
 *   <guest>/<generation>/<fencing>-<number>   body; codec and SHA-256 are metadata
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { plain } from './codec';
import { checkGuestId } from './keys';
import { retry, type RetryTiming } from './retry';
import type { PackId, PackStore, StoredPack } from './store';
import type { Usage } from './table';

export interface PacksBucket {
  readonly client: S3;
  readonly bucket: string;
}

/** Larger ones cost less to write, smaller ones less to read a part of. */
const PACK_BYTES = 2 * 1024 * 1024;

/** The SDK's part for S3, loaded when it is first used: most restores do without. */
const sdk = (): Promise<typeof import('@aws-sdk/client-s3')> => import('@aws-sdk/client-s3');

/** A client, made when it is first wanted. */
export type S3 = () => Promise<S3Client>;

export function s3Client(environment: Readonly<Record<string, string | undefined>>): S3 {
  let made: Promise<S3Client> | undefined;
  const make = async (): Promise<S3Client> => {
    const { S3Client } = await sdk();
    // A local endpoint knows no bucket host names.
    return new S3Client({ forcePathStyle: environment.AWS_ENDPOINT_URL_S3 !== undefined });
  };
  return () => (made ??= make());
}

export class S3Packs implements PackStore {
  readonly packBytes = PACK_BYTES;

  constructor(
    private readonly options: PacksBucket,
    private readonly usage: Usage,
    private readonly timing: RetryTiming,
  ) {}

  async put(guest: string, id: PackId, { codec, sha256, body }: StoredPack): Promise<void> {
    const { bucket } = this.options;
    const client = await this.options.client();
    const Metadata = { codec, sha256: Buffer.from(sha256).toString('hex') };
    const input = { Bucket: bucket, Key: keyOf(guest, id), Body: body, ContentLength: body.length, Metadata };
    this.usage.bytesWritten += body.length;
    this.usage.requests.put += 1;
    const { PutObjectCommand } = await sdk();
    await retry(`PutObject ${input.Key}`, this.timing, () => client.send(new PutObjectCommand(input)));
  }

  async get(guest: string, id: PackId): Promise<StoredPack | undefined> {
    const { bucket } = this.options;
    const client = await this.options.client();
    const Key = keyOf(guest, id);
    this.usage.requests.get += 1;
    const { GetObjectCommand } = await sdk();
    return retry(`GetObject ${Key}`, this.timing, async () => {
      try {
        const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
        const body = plain((await found.Body?.transformToByteArray()) ?? new Uint8Array(0));
        this.usage.bytesRead += body.length;
        const { codec = '', sha256 = '' } = found.Metadata ?? {};
        return { codec, sha256: plain(Buffer.from(sha256, 'hex')), body };
      } catch (error) {
        if (error instanceof Error && MISSING.has(error.name)) return undefined;
        throw error;
      }
    });
  }

  async delete(guest: string, id: PackId): Promise<void> {
    const { bucket } = this.options;
    const client = await this.options.client();
    const Key = keyOf(guest, id);
    const { DeleteObjectCommand } = await sdk();
    await retry(`DeleteObject ${Key}`, this.timing, () =>
      client.send(new DeleteObjectCommand({ Bucket: bucket, Key })),
    );
  }

  async list(guest: string, generation: number): Promise<PackId[]> {
    const { bucket } = this.options;
    const client = await this.options.client();
    const Prefix = `${checkGuestId(guest)}/${generation}/`;
    const { ListObjectsV2Command } = await sdk();
    const ids: PackId[] = [];
    let token: string | undefined;
    do {
      const page = await retry(`ListObjectsV2 ${Prefix}`, this.timing, () =>
        client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken: token })),
      );
      this.usage.requests.put += 1;
      for (const { Key = '' } of page.Contents ?? []) {
        const [fencing = NaN, number = NaN] = Key.slice(Prefix.length).split('-').map(Number);
        ids.push({ generation, fencing, number });
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return ids;
  }
}

const MISSING = new Set(['NoSuchKey', 'NotFound']);

/** Generations come first, so that a guest's objects spread over S3's own partitions as it goes on. */
function keyOf(guest: string, { generation, fencing, number }: PackId): string {
  return `${checkGuestId(guest)}/${generation}/${fencing}-${number}`;
}
