/** The two functions as they are deployed: real SDK clients, a queue, a bucket and a table. Only the engine is a fake. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Context, SQSEvent } from 'aws-lambda';
import { createHash } from 'node:crypto';
import type { GuestDefinition } from '../../engine/models/guest';
import { handler as ingressHandler } from '../../lambdas/ingress/handler';
import { handler as worker } from '../../lambdas/worker/handler';
import type { Head } from '../../lambdas/store/store';
import { dynamodbStore } from '../../lambdas/store/dynamodb';
import { localTable, type LocalTable } from './dynalite';
import { localServices, type LocalServices } from './fauxqs';

jest.mock('../../engine/models/create', () => {
  const { FakeGuest } = jest.requireActual<typeof import('./fake-guest')>('./fake-guest');
  return { guestFactory: () => () => new FakeGuest({ length: 200, reads: [150] }) };
});

const kernel = Buffer.from('a kernel');
const definition: GuestDefinition = {
  version: 1,
  model: 'machine',
  memory: 2 ** 20,
  clock: 'deterministic',
  kernel: {
    key: 'kernel',
    name: 'vmlinuz',
    sha256: createHash('sha256').update(kernel).digest('hex'),
    size: kernel.length,
  },
};

describe('worker and ingress functions', () => {
  let table: LocalTable;
  let services: LocalServices;
  let sqs: SQSClient;
  let queueUrl: string;
  const lines: Record<string, unknown>[] = [];

  beforeAll(async () => {
    [table, services] = await Promise.all([localTable(), localServices()]);
    const address = await table.client.config.endpoint?.();
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${address?.port}`,
      AWS_ENDPOINT_URL_SQS: services.endpoint,
      AWS_ENDPOINT_URL_S3: services.endpoint,
      TABLE_NAME: table.tableName,
      ASSETS_BUCKET: 'assets',
      GUESTS: JSON.stringify({ good: 'good.json', lost: 'lost.json', changed: 'changed.json' }),
      SLICE_SECONDS: '5',
      SLICE_INSTRUCTIONS: '60',
    });
    sqs = new SQSClient({ useQueueUrlAsEndpoint: false });
    const attributes = { VisibilityTimeout: '1' };
    const queue = await sqs.send(new CreateQueueCommand({ QueueName: 'run-queue', Attributes: attributes }));
    queueUrl = queue.QueueUrl ?? '';
    process.env.QUEUE_URL = queueUrl;
    const s3 = new S3Client({ forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'assets' }));
    const put = (Key: string, Body: Uint8Array | string) =>
      s3.send(new PutObjectCommand({ Bucket: 'assets', Key, Body }));
    await put('kernel', kernel);
    await put('good.json', JSON.stringify(definition));
    const changed = { ...definition, kernel: { ...definition.kernel, sha256: '0'.repeat(64) } };
    await put('changed.json', JSON.stringify(changed));
    s3.destroy();
    jest.spyOn(console, 'log').mockImplementation((line: string) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    });
  }, 30_000);

  afterAll(async () => {
    jest.restoreAllMocks();
    sqs.destroy();
    await Promise.all([table.close(), services.close()]);
  });

  const context = { logStreamName: 'worker-1', getRemainingTimeInMillis: () => 30_000 } as Context;
  let requests = 0;
  const ingress = (event: unknown) => ingressHandler(event, { awsRequestId: `request-${(requests += 1)}` });
  const store = () => dynamodbStore({ client: table.client, tableName: table.tableName });

  async function work(...bodies: string[]): Promise<string[]> {
    const records = bodies.map((body, i) => ({ messageId: `message-${i}`, body }));
    const { batchItemFailures } = await worker({ Records: records } as SQSEvent, context);
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  }

  /** Takes messages from the queue until it is empty, as an event source does. */
  async function drain(): Promise<void> {
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
      const [message] = Messages;
      if (message === undefined) return;
      const record = { messageId: message.MessageId, body: message.Body };
      const { batchItemFailures } = await worker({ Records: [record] } as SQSEvent, context);
      if (batchItemFailures.length > 0) continue;
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
    }
  }

  const head = async (guest: string): Promise<Head | undefined> => store().head(guest);

  test('a guest runs from its first token to its end, and answers what is sent to it', async () => {
    expect(await work('{"guest": "good", "generation": 0}')).toEqual([]);
    await drain();
    expect(await head('good')).toMatchObject({ status: 'idle', instructions: 150 });

    expect(await ingress({ guest: 'good', type: 'event', data: { text: 'hello' } })).toEqual([
      { guest: 'good', sequence: 1 },
    ]);
    await drain();
    expect(await head('good')).toMatchObject({ status: 'idle', inboxCursor: 1, results: 1 });
    expect(await store().readResults('good', 0)).toMatchObject([
      {
        index: 0,
        error: expect.stringMatching(/^event 1 \(.*\) was not delivered: this guest takes no events/),
      },
    ]);

    expect(await ingress({ guest: 'good', type: 'text', data: 'hello\n' })).toEqual([
      { guest: 'good', sequence: 2 },
    ]);
    await drain();
    expect(await head('good')).toMatchObject({ status: 'halted', instructions: 200, inboxCursor: 2 });
    const { bytes } = await store().readConsole('good', 0);
    expect(new TextDecoder().decode(bytes)).toContain('read at 150: hello\n');
    const metrics = await store().readMetrics('good');
    expect(metrics.map(({ instructions }) => instructions).reduce((a, b) => a + b)).toBe(200);
    expect(metrics[0]).toMatchObject({ worker: 'worker-1', restoredFrom: 'image' });
    expect(lines.filter(({ message }) => message === 'slice')).toHaveLength(metrics.length);
  }, 30_000);

  test.each([
    ['lost', /lost\.json is not among the assets/],
    ['changed', /the image file vmlinuz \(kernel\) has SHA-256 [0-9a-f]{64}, not 0{64}/],
  ])('the image of guest %s cannot be used: its head says why', async (guest, reason) => {
    expect(await work(`{"guest": "${guest}", "generation": 0}`)).toEqual([]);
    expect(await head(guest)).toMatchObject({ status: 'failed', generation: 0 });
    expect((await head(guest))?.reason).toMatch(reason);
  });

  test('messages that are no tokens are not kept', async () => {
    expect(
      await work('{', '{"guest": "stranger", "generation": 0}', '{"guest": "a#b", "wake": true}'),
    ).toEqual([]);
  });

  test('the ingress refuses what no guest can take', async () => {
    await expect(ingress({ guest: 'stranger', type: 'text', data: '' })).rejects.toThrow(
      /its guests are good, lost, changed/,
    );
    await expect(ingress({ guest: 'good', type: 'image' })).rejects.toThrow(/is no event for a guest/);
  });

  test('a token whose slice fails goes back to the queue', async () => {
    const broken = { ...context, getRemainingTimeInMillis: () => 700 } as Context;
    const throttled = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    jest.spyOn(DynamoDBClient.prototype, 'send').mockRejectedValue(throttled as never);
    const records = [{ messageId: 'm', body: '{"guest": "good", "generation": 0}' }];
    const result = await worker({ Records: records } as SQSEvent, broken);
    expect(result.batchItemFailures).toEqual([{ itemIdentifier: 'm' }]);
    expect(lines.at(-1)).toMatchObject({ message: 'token failed', error: 'StoreDeadlineError' });
  });
});
