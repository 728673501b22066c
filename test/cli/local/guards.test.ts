/** What the cloud would refuse: calls that no policy allows, and chains of invocations that do not end. */
import { LocalCloud, type InvocationResult } from '../../../cli/local';
import { writeAssembly, type TinyAssembly } from './tiny-assembly';

const SDK = JSON.stringify(require.resolve('@aws-sdk/client-dynamodb'));
const SQS = JSON.stringify(require.resolve('@aws-sdk/client-sqs'));

async function withCloud(tiny: TinyAssembly, work: (cloud: LocalCloud) => Promise<void>): Promise<void> {
  const assembly = writeAssembly(tiny);
  const cloud = await LocalCloud.start({ assembly: assembly.directory, workers: 1 });
  try {
    await work(cloud);
  } finally {
    await cloud.stop();
    assembly.remove();
  }
}

const policy = (...statements: object[]) => ({
  Policy: {
    Type: 'AWS::IAM::Policy',
    Properties: { PolicyDocument: { Statement: statements }, Roles: [{ Ref: 'Role' }] },
  },
});
const table = { 'Fn::GetAtt': ['Table', 'Arn'] };

describe('permissions of the synthesized policies', () => {
  const code = `const { DynamoDBClient, GetItemCommand, PutItemCommand } = require(${SDK});
    const client = new DynamoDBClient({ maxAttempts: 1 });
    const Key = { pk: { S: 'a' } };
    exports.handler = async (what) => {
      const TableName = process.env.TABLE_NAME;
      const command = what === 'put' ? new PutItemCommand({ TableName, Item: Key }) : new GetItemCommand({ TableName, Key });
      try { await client.send(command); return 'done'; } catch (error) { return error.name + ': ' + error.message; }
    };`;
  const run = async (cloud: LocalCloud, what: string): Promise<unknown> =>
    ((await cloud.invoke('Function', what)) as InvocationResult).value;

  test.each<[string, object[], string]>([
    ['an action that is allowed', [{ Effect: 'Allow', Action: 'dynamodb:Get*', Resource: table }], 'done'],
    ['one that is not', [{ Effect: 'Allow', Action: ['dynamodb:Query'], Resource: '*' }], 'AccessDenied'],
    [
      'another table',
      [{ Effect: 'Allow', Action: '*', Resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/Other' }],
      'AccessDenied',
    ],
    [
      'a denial above an allowance',
      [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        { Effect: 'Deny', Action: 'dynamodb:GetItem', Resource: '*' },
      ],
      'AccessDenied',
    ],
  ])('%s', async (_, statements, expected) => {
    await withCloud({ code, resources: policy(...statements) }, async (cloud) => {
      expect(await run(cloud, 'get')).toMatch(expected);
      if (expected === 'done')
        expect(await run(cloud, 'put')).toMatch(
          /AccessDenied.*Role is not authorized to perform dynamodb:PutItem/,
        );
    });
  });
});

describe('a function that sends itself messages', () => {
  const code = `const { SQSClient, SendMessageCommand } = require(${SQS});
    const client = new SQSClient({ useQueueUrlAsEndpoint: false });
    exports.handler = async ({ Records }) => {
      const n = Number(Records[0].body);
      if (n < 25) await client.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: String(n + 1) }));
      console.log('served ' + n);
    };`;

  test.each([
    ['is stopped at the sixteenth hop', undefined, 15],
    ['goes on when its loops are allowed', 'Allow', 25],
  ])('%s', async (_, RecursiveLoop, last) => {
    const assembly = writeAssembly({ code, ...(RecursiveLoop && { recursiveLoop: RecursiveLoop }) });
    const served: number[] = [];
    const cloud = await LocalCloud.start({
      assembly: assembly.directory,
      workers: 1,
      log: (_worker, line) => {
        const n = /served (\d+)/.exec(line)?.[1];
        if (n !== undefined) served.push(Number(n));
      },
    });
    try {
      await cloud.send('Queue', '0');
      for (const end = Date.now() + 60_000; !served.includes(last) && Date.now() < end;)
        await new Promise((resolve) => setTimeout(resolve, 50));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(Math.max(...served)).toBe(last);
    } finally {
      await cloud.stop();
      assembly.remove();
    }
  });
});
