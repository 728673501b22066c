/**
 * A whole guest's worth of random pages against the limits of a new table: 1,000 write units a second and partition,
 * 4,000 a table. Every refusal is met with patience, and what comes back is what went in.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createHash, randomFillSync } from 'node:crypto';
import { Faults } from '../../cli/local/faults/faults';
import { NEW_TABLE, type ThroughputLimits } from '../../cli/local/faults/throughput';
import { startFaultProxy } from '../../cli/local/faults/proxy';
import { emptyCheckpoint } from '../../lambdas/store/checkpoint';
import { dynamodbStore } from '../../lambdas/store/dynamodb';
import { flush } from '../../lambdas/store/flush';
import { FakeSpace } from '../lambdas/fake-space';
import { localTable } from '../lambdas/dynalite';
import { restoreSpaces } from '../lambdas/restore-spaces';

const FULL = process.env.TEST_FULL !== undefined;
const MEBIBYTES = FULL ? 64 : 4;
const PAGES = MEBIBYTES * 256;
/** A quarter of it for the short run: no machine is too slow to be refused then. */
const LIMITS: ThroughputLimits = FULL
  ? NEW_TABLE
  : { partition: { write: 250, read: 750 }, table: { write: 1000, read: 3000 } };

test(`a flush of ${MEBIBYTES} MiB of random pages takes what the table allows, and no error reaches the guest`, async () => {
  const { client: direct, tableName, close } = await localTable();
  const { hostname, port } = await direct.config.endpoint!();
  const faults = new Faults({ seed: 1, throughput: LIMITS }, () => performance.now());
  const proxy = await startFaultProxy('dynamodb', `http://${hostname}:${port}`, { faults });
  const client = new DynamoDBClient({
    endpoint: proxy.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  try {
    const store = dynamodbStore({ client, tableName, deadline: Date.now() + 300_000 });
    const space = new FakeSpace('ram', PAGES);
    const hash = createHash('sha256');
    for (let page = 0; page < PAGES; page += 1) {
      const bytes = randomFillSync(new Uint8Array(4096));
      hash.update(bytes);
      space.write(page, bytes);
    }
    const attempt = { generation: 1, fencing: 1 };
    const begun = performance.now();
    await flush(store, emptyCheckpoint('g'), attempt, { spaces: [space], state: Uint8Array.of(1) });
    const seconds = (performance.now() - begun) / 1000;
    // A full second's units are there from the start, and no more than the table gives is ever taken.
    expect(store.usage.writeUnits).toBeGreaterThan(MEBIBYTES * 1024);
    expect(store.usage.writeUnits).toBeLessThanOrEqual(LIMITS.table.write * (seconds + 1));
    if (!FULL) expect(faults.counts.refuse).toBeGreaterThan(0);

    const reading = dynamodbStore({ client: direct, tableName });
    const copy = new FakeSpace('ram', PAGES);
    await restoreSpaces(reading, 'g', attempt, [copy]);
    const found = createHash('sha256');
    for (let page = 0; page < PAGES; page += 1) found.update(copy.read(page));
    expect(found.digest('hex')).toBe(hash.digest('hex'));
    console.info(
      `${MEBIBYTES} MiB: ${seconds.toFixed(1)} s, ${store.usage.writeUnits} units, ${faults.counts.refuse} refusals`,
    );
  } finally {
    client.destroy();
    await proxy.close();
    await close();
  }
}, 400_000);
