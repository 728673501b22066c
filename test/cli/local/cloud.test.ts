/** The local cloud with its real servers and worker processes, on functions of a few lines. */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, type QueueAttributeName } from '@aws-sdk/client-sqs';
import {
  LocalCloud,
  type InvocationResult,
  type LocalCloudOptions,
  type WorkerProcess,
} from '../../../cli/local';
import { writeAssembly, type TinyAssembly, type WrittenAssembly } from './tiny-assembly';

jest.setTimeout(30_000);

let cloud: LocalCloud | undefined;
let assembly: WrittenAssembly | undefined;

interface Answer {
  readonly worker: WorkerProcess;
  readonly bodies: string[];
  readonly result: InvocationResult;
}
const answers: Answer[] = [];
const lines: string[] = [];

async function start(tiny: TinyAssembly, options: Partial<LocalCloudOptions> = {}): Promise<LocalCloud> {
  answers.length = 0;
  lines.length = 0;
  assembly = writeAssembly(tiny);
  cloud = await LocalCloud.start({
    assembly: assembly.directory,
    log: (_, line) => void lines.push(line),
    answered: (worker, event, result) => {
      const bodies = (event as { Records: { body: string }[] }).Records.map(({ body }) => body);
      answers.push({ worker, bodies, result });
    },
    ...options,
  });
  return cloud;
}

afterEach(async () => {
  const pids = cloud?.workers.map(({ pid }) => pid ?? 0) ?? [];
  await cloud?.stop();
  assembly?.remove();
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  cloud = assembly = undefined;
});

async function until(what: string, arrived: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline;) {
    if (await arrived()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(
    `${what}: not in time; answers: ${JSON.stringify(answers.map(({ bodies, result }) => [bodies, result]))}`,
  );
}

async function messagesIn({ sqs }: LocalCloud, queue: string): Promise<number> {
  const names: QueueAttributeName[] = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ];
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: cloud?.queueUrlOf(queue), AttributeNames: names }),
  );
  return names.reduce((sum, name) => sum + Number(Attributes?.[name]), 0);
}

describe('local cloud', () => {
  test('a function sees what Lambda would show it', async () => {
    const code = `exports.handler = async (event, context) => ({
      event, cwd: process.cwd(), environment: process.env, version: process.version,
      context: { ...context, left: context.getRemainingTimeInMillis() } });`;
    const { region } = await start({ code, timeout: 9 });
    const result = (await cloud?.invoke('Function', { a: [1] })) as InvocationResult;
    expect(result).toMatchObject({ outcome: 'success', error: undefined });
    const seen = result.value as {
      cwd: string;
      version: string;
      environment: Record<string, string>;
      context: Record<string, unknown>;
    };
    expect(seen).toMatchObject({
      event: { a: [1] },
      version: process.version,
      environment: {
        AWS_LAMBDA_FUNCTION_NAME: 'Tiny-Function',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
        AWS_REGION: region,
        TABLE_NAME: 'Tiny-Table',
        _HANDLER: 'index.handler',
      },
      context: {
        awsRequestId: result.requestId,
        functionName: 'Tiny-Function',
        memoryLimitInMB: '256',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Tiny-Function',
      },
    });
    expect(seen.context['left']).toBeGreaterThan(8000);
    expect(seen.context['left']).toBeLessThanOrEqual(9000);
    expect(seen.cwd).toBe(seen.environment['LAMBDA_TASK_ROOT']);
    // The caller's own variables and credentials stay outside.
    expect(Object.keys(seen.environment).filter((name) => /^(npm_|JEST|NODE_OPTIONS)/.test(name))).toEqual(
      [],
    );
  });

  test('a process serves again while it lives, one invocation at a time', async () => {
    const code = `let n = 0, busy = 0;
      exports.handler = async () => {
        const overlap = ++busy > 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
        busy--;
        return { pid: process.pid, n: ++n, overlap };
      };`;
    await start({ code }, { workers: 2 });
    const results = await Promise.all([1, 2, 3, 4].map(async () => cloud?.invoke('Function', {})));
    const values = results.map((result) => result?.value as { pid: number; n: number; overlap: boolean });
    expect(new Set(values.map(({ pid }) => pid)).size).toBe(2);
    expect(values.map(({ n }) => n).sort()).toEqual([1, 1, 2, 2]);
    expect(values.some(({ overlap }) => overlap)).toBe(false);
  });

  test('the table and the assets are there', async () => {
    await start({ code: '' });
    if (cloud === undefined) throw new Error('not started');
    const key = { pk: { S: 'x' } };
    const TableName = cloud.nameOf('Table');
    await cloud.dynamodb.send(new PutItemCommand({ TableName, Item: { ...key, v: { N: '7' } } }));
    expect((await cloud.dynamodb.send(new GetItemCommand({ TableName, Key: key }))).Item).toMatchObject({
      v: { N: '7' },
    });

    const s3 = new S3Client({
      region: 'us-east-1',
      endpoint: cloud.endpoints.s3,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const Bucket = 'cdk-assets-000000000000-us-east-1';
    const get = async (Key: string, Range?: string) =>
      (await s3.send(new GetObjectCommand({ Bucket, Key, Range }))).Body?.transformToString();
    await expect(get('f11e.bin')).resolves.toBe('the image');
    await expect(get('f11e.bin', 'bytes=4-6')).resolves.toBe('ima');
    await expect(get('f11e.bin', 'bytes=-2')).resolves.toBe('ge');
    await expect(get('f11e.bin', 'bytes=9-')).rejects.toMatchObject({ name: 'InvalidRange' });
    await expect(get('../../etc/passwd')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'f11e.bin' }))).toMatchObject({
      ContentLength: 9,
    });
    s3.destroy();
  });

  test('what the handler throws, and a bundle that does not load, are results', async () => {
    await start({ code: `exports.handler = async () => { throw new RangeError('too far'); };` });
    expect(await cloud?.invoke('Function', {})).toMatchObject({
      outcome: 'error',
      error: { errorType: 'RangeError', errorMessage: 'too far' },
    });
    await cloud?.stop();
    assembly?.remove();
    await start({ code: `throw new Error('cannot start');` });
    expect(await cloud?.invoke('Function', {})).toMatchObject({
      outcome: 'crashed',
      error: { errorMessage: 'cannot start' },
    });
    await cloud?.stop();
    assembly?.remove();
    await start({ code: `exports.other = 1;` });
    expect(await cloud?.invoke('Function', {})).toMatchObject({
      outcome: 'crashed',
      error: {
        errorType: 'Runtime.HandlerNotFound',
        errorMessage: 'index.handler is undefined or not exported',
      },
    });
  });

  test('payloads beyond 6 MB are refused both ways', async () => {
    await start({ code: `exports.handler = async ({ n }) => 'x'.repeat(n);` });
    const megabyte = 1024 * 1024;
    expect(await cloud?.invoke('Function', { n: 7 * megabyte })).toMatchObject({
      outcome: 'payload-too-large',
      error: { errorType: 'Function.PayloadTooLarge' },
    });
    expect(await cloud?.invoke('Function', { x: 'x'.repeat(7 * megabyte) })).toMatchObject({
      outcome: 'payload-too-large',
    });
    expect(await cloud?.invoke('Function', { n: 5 * megabyte })).toMatchObject({ outcome: 'success' });
  });

  test('a function that does not yield is killed at its timeout, and the next one gets a new process', async () => {
    const code = `exports.handler = async ({ spin }) => { while (spin); return process.pid; };`;
    await start({ code, timeout: 1 }, { workers: 1 });
    const spun = await cloud?.invoke('Function', { spin: true });
    expect(spun).toMatchObject({ outcome: 'timeout', error: { errorType: 'Sandbox.Timedout' } });
    expect(spun?.error?.errorMessage).toMatch(/Task timed out after 1.00 seconds$/);
    expect(await cloud?.invoke('Function', {})).toMatchObject({ outcome: 'success' });
    expect(cloud?.workers.map(({ id }) => id)).toEqual(['1.2']);
  });

  (process.platform === 'linux' ? test : test.skip)(
    'a function that takes too much memory is killed',
    async () => {
      const code = `const kept = [];
      exports.handler = async () => {
        for (;;) { kept.push(Buffer.alloc(8 << 20, 1)); await new Promise((resolve) => setTimeout(resolve, 10)); }
      };`;
      await start({ code, memorySize: 256 });
      const result = await cloud?.invoke('Function', {});
      expect(result).toMatchObject({ outcome: 'out-of-memory', error: { errorType: 'Runtime.OutOfMemory' } });
      expect(result?.error?.errorMessage).toMatch(/its memorySize is 256 MB; raise memorySize$/);
      expect(result?.maximumResidentBytes).toBeGreaterThan(256 * 1024 * 1024);
    },
  );

  test('the queue feeds the function, and what succeeded is deleted', async () => {
    const code = `exports.handler = async ({ Records }) => { for (const { body } of Records) console.log('got ' + body); };`;
    await start({ code });
    for (const body of ['a', 'b', 'c']) await cloud?.send('Queue', body);
    await until('all messages', () => lines.length === 3);
    expect([...lines].sort()).toEqual(['got a', 'got b', 'got c']);
    await until('an empty queue', async () => (await messagesIn(cloud as LocalCloud, 'Queue')) === 0);
  });

  test('only the items that failed come back, and go to the dead letters in the end', async () => {
    const code = `exports.handler = async ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({ itemIdentifier: messageId })) });`;
    await start({ code, maxReceiveCount: 2 }, { redeliverAfterSeconds: 0 });
    await cloud?.send('Queue', 'good');
    await cloud?.send('Queue', 'bad');
    await until('the dead letter', async () => (await messagesIn(cloud as LocalCloud, 'DeadLetters')) === 1);
    const bodies = answers.flatMap(({ bodies }) => bodies).sort();
    expect(bodies).toEqual(['bad', 'bad', 'good']);
    expect(await messagesIn(cloud as LocalCloud, 'Queue')).toBe(0);
  });

  test('the message of a killed worker comes back and is served by another process', async () => {
    const code = `exports.handler = async ({ Records: [{ body, attributes }] }) => {
      console.log('began ' + body);
      if (attributes.ApproximateReceiveCount === '1') await new Promise((resolve) => setTimeout(resolve, 60000));
    };`;
    await start({ code }, { redeliverAfterSeconds: 0 });
    await cloud?.send('Queue', 'work');
    await until('the start', () => lines.includes('began work'));
    const victim = cloud?.workers.find(({ busy }) => busy) as WorkerProcess;
    await cloud?.kill(victim);
    await until('the second answer', () => answers.length === 2);
    expect(answers.map(({ result }) => result.outcome)).toEqual(['crashed', 'success']);
    expect(answers[0]?.worker).toBe(victim);
    expect(answers[1]?.worker.pid).not.toBe(victim.pid);
    expect(await messagesIn(cloud as LocalCloud, 'Queue')).toBe(0);
  });

  test("without that option it comes back by the queue's own visibility timeout", async () => {
    const code = `exports.handler = async ({ Records: [{ attributes }] }) => {
      if (attributes.ApproximateReceiveCount === '1') process.exit(3);
    };`;
    await start({ code, visibilityTimeout: 2 });
    const sentAt = Date.now();
    await cloud?.send('Queue', 'work');
    await until('the second answer', () => answers.length === 2);
    expect(answers.map(({ result }) => result.outcome)).toEqual(['crashed', 'success']);
    expect(Date.now() - sentAt).toBeGreaterThan(1900);
  });

  test('a mapping that is switched off polls nothing', async () => {
    const code = `exports.handler = async () => 1;`;
    const Mapping = {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
        FunctionName: { Ref: 'Function' },
        Enabled: false,
      },
    };
    await start({ code, resources: { Mapping } });
    await cloud?.send('Queue', 'work');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answers).toHaveLength(0);
    expect(await messagesIn(cloud as LocalCloud, 'Queue')).toBe(1);
  });

  test('what it cannot provide is refused before anything starts', async () => {
    await expect(start({ code: '', resources: { Topic: { Type: 'AWS::SNS::Topic' } } })).rejects.toThrow(
      /^Topic is of type AWS::SNS::Topic, which the local cloud does not know/,
    );
    assembly?.remove();
    const code = { S3Bucket: 'elsewhere', S3Key: 'x.zip' };
    const Other = { Type: 'AWS::Lambda::Function', Properties: { Code: code, Handler: 'index.handler' } };
    await expect(start({ code: '', resources: { Other } })).rejects.toThrow(
      /^Other \(AWS::Lambda::Function\): its code is no asset of the assembly/,
    );
  });
});
