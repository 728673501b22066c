import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { MemoryTable } from '../../../lambdas/store/memory';
import { S3Packs } from '../../../lambdas/store/s3';
import { Usage } from '../../../lambdas/store/table';
import { storeContract } from '../../contract/store';
import { localServices } from '../fauxqs';

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
