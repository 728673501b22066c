import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { randomFillSync } from 'node:crypto';
import { emptyCheckpoint } from '../../../lambdas/store/checkpoint';
import { CorruptPackError } from '../../../lambdas/store/errors';
import { flush } from '../../../lambdas/store/flush';
import { newestWhole } from '../../../lambdas/store/history';
import { packName } from '../../../lambdas/store/keys';
import { MemoryTable } from '../../../lambdas/store/memory';
import { S3Packs } from '../../../lambdas/store/s3';
import { Usage } from '../../../lambdas/store/table';
import { TableStore } from '../../../lambdas/store/table-store';
import { firstHead } from '../../../lambdas/worker/slice';
import { storeContract } from '../../contract/store';
import { FakeSpace } from '../fake-space';
import { localServices } from '../fauxqs';
import { restoreSpaces } from '../restore-spaces';

const timing = {
  now: Date.now,
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
  random: Math.random,
  deadline: Infinity,
};

async function openBucket() {
  const services = await localServices();
  const client = new S3Client({
    endpoint: services.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    forcePathStyle: true,
  });
  await client.send(new CreateBucketCommand({ Bucket: 'packs' }));
  const usage = new Usage();
  return {
    table: new MemoryTable(),
    usage,
    client,
    packs: new S3Packs({ client: async () => client, bucket: 'packs' }, usage, timing),
    close: async () => {
      client.destroy();
      await services.close();
    },
  };
}

storeContract('packs in S3', openBucket);

test('requests are counted by price, and bytes as they are', async () => {
  const { packs, usage, close } = await openBucket();
  const id = { generation: 1, fencing: 1, number: 0 };
  const body = new Uint8Array(1_000_000).map((_, i) => i % 251);
  await packs.put('g', id, { codec: 'zstd', sha256: new Uint8Array(32).fill(3), body });
  const read = await packs.get('g', id);
  expect(Buffer.compare(read?.body ?? new Uint8Array(0), body)).toBe(0);
  expect(Buffer.from(read?.sha256 ?? [])).toEqual(Buffer.alloc(32, 3));
  await packs.list('g', 1);
  expect(usage.requests).toEqual({ put: 2, get: 1 });
  expect([usage.bytesWritten, usage.bytesRead]).toEqual([1_000_000, 1_000_000]);
  await close();
});

test('whatever happens to an object is found and named, and the generation before it is offered', async () => {
  const { table, packs, client, close } = await openBucket();
  try {
    const store = new TableStore(table, packs);
    for (const guest of ['g', 'h']) {
      let checkpoint = emptyCheckpoint(guest);
      const space = new FakeSpace('ram', 1000);
      for (const generation of [1, 2]) {
        for (let page = 0; page < 40; page += 1) space.write(page, randomFillSync(new Uint8Array(4096)));
        const attempt = { generation, fencing: generation };
        ({ checkpoint } = await flush(store, checkpoint, attempt, {
          spaces: [space],
          state: Uint8Array.of(1),
        }));
        space.clean();
      }
    }
    const head = { ...firstHead('g', 'd', 1), generation: 2, fencing: 2, committedFencing: 2 };
    await store.createHead(head);
    const Bucket = 'packs';
    const Key = 'g/2/2-0';
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents.map((each) => each.Key).sort()).toEqual(['g/1/1-0', Key, 'h/1/1-0', 'h/2/2-0']);
    const get = async (key: string) => {
      const { Body, Metadata = {} } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      return { Body: (await Body?.transformToByteArray()) ?? new Uint8Array(0), Metadata };
    };
    const whole = await get(Key);
    const flipped = whole.Body.slice();
    flipped[777]! ^= 4;
    const damages: readonly (readonly [
      object: Awaited<ReturnType<typeof get>> | undefined,
      named: RegExp,
    ])[] = [
      [{ ...whole, Body: flipped }, /its SHA-256 is .* was stored with it/],
      [{ ...whole, Body: whole.Body.subarray(0, -1) }, /its SHA-256 is/],
      [{ ...whole, Body: new Uint8Array(0) }, /its SHA-256 is/],
      [{ Body: whole.Body, Metadata: {} }, /its SHA-256 is/],
      [await get('h/2/2-0'), /of guest "h" lies in its place/],
      [await get('g/1/1-0'), /pack 0000000001#0000000001#00000 of guest "g" lies in its place/],
      [undefined, /the item is missing/],
    ];
    for (const [object, named] of damages) {
      if (object) await client.send(new PutObjectCommand({ Bucket, Key, ...object }));
      else await client.send(new DeleteObjectCommand({ Bucket, Key }));
      const restored = restoreSpaces(store, 'g', { generation: 2, fencing: 2 }, [new FakeSpace('ram', 1000)]);
      const error: unknown = await restored.catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(CorruptPackError);
      expect(String(error)).toMatch(named);
      expect((error as CorruptPackError).pack).toBe(packName({ generation: 2, fencing: 2, number: 0 }));
      expect(await newestWhole(store, head)).toBe(1);
    }
  } finally {
    await close();
  }
}, 30_000);
