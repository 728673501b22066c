/** A host as a deployment would make it, with the very bundle of the worker, in the local cloud: for tests that do it harm. */
import { S3Client } from '@aws-sdk/client-s3';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCloud, type LocalCloudOptions } from '../../cli/local';
import type { GuestDefinition } from '../../engine/models/guest';
import { dynamodbStore } from '../../lambdas/store/dynamodb';
import type { CheckpointStore, Head } from '../../lambdas/store/store';
import type { Requirement } from '../requirement';

const BUCKET = 'assets-${AWS::AccountId}';
const PACKS = 'packs-of-this-host';
const BUNDLE = join(__dirname, '..', '..', 'dist', 'lambdas', 'worker');

export const workerBundle: Requirement = {
  missing: existsSync(join(BUNDLE, 'index.js')) ? undefined : 'no bundle of the worker: run `npm run build`',
};

export interface HostDescription {
  /** Guest id to its definition; the definition's files by key in `files`. */
  readonly guests: Readonly<Record<string, GuestDefinition>>;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Megabytes of the worker. */
  readonly memorySize?: number;
  /** Seconds. */
  readonly timeout?: number;
  /** Packs lie in a bucket of the local cloud's S3; default: in the table. */
  readonly packsInBucket?: boolean;
  /** Seconds that a lease lasts: what a killed worker's guest waits for. */
  readonly leaseSeconds: number;
}

export interface FaultyHost {
  readonly cloud: LocalCloud;
  readonly store: CheckpointStore;
  /** Sends the first token of a guest. */
  start(guest: string): Promise<void>;
  /** Resolves with the head when it is `halted`. @throws when it fails, or after `seconds`. */
  halted(guest: string, seconds: number): Promise<Head>;
  stop(): Promise<void>;
}

export async function startHost(
  description: HostDescription,
  options: Partial<LocalCloudOptions> = {},
): Promise<FaultyHost> {
  const directory = mkdtempSync(join(tmpdir(), 'cdk-hypervisor-faults-'));
  writeAssembly(directory, description);
  const log: string[] = [];
  const cloud = await LocalCloud.start({
    assembly: directory,
    redeliverAfterSeconds: 1,
    log: (worker, line) => void log.push(`${worker.id}: ${line}`),
    ...options,
  });
  const client = cloud.dynamodb;
  const s3 = new S3Client({
    endpoint: cloud.endpoints.s3,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    forcePathStyle: true,
  });
  const store = dynamodbStore({
    client,
    tableName: cloud.nameOf('Table'),
    deadline: Infinity,
    ...(description.packsInBucket && { packs: { client: async () => s3, bucket: PACKS } }),
  });
  return {
    cloud,
    store,
    start: (guest) => cloud.send('Queue', { guest, generation: 0 }),
    halted: async (guest, seconds) => {
      let head: Head | undefined;
      for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
        head = await store.head(guest);
        if (head?.status === 'halted') return head;
        if (head?.status === 'failed' || head?.status === 'suspended') break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const tail = log.filter((line) => line.includes(`"${guest}`)).slice(-8);
      throw new Error(`guest ${guest} is ${JSON.stringify(head)} after ${seconds} s\n${tail.join('\n')}`);
    },
    stop: async () => {
      s3.destroy();
      await cloud.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function writeAssembly(directory: string, { guests, files, ...host }: HostDescription): void {
  const write = (name: string, content: unknown) =>
    writeFileSync(join(directory, name), content instanceof Uint8Array ? content : JSON.stringify(content));
  const place = (objectKey: string) => ({ here: { bucketName: BUCKET, objectKey } });
  const assets: Record<string, object> = {
    code: { source: { path: BUNDLE, packaging: 'zip' }, destinations: place('code.zip') },
  };
  const add = (key: string, content: unknown) => {
    write(`asset.${key}`, content);
    assets[key] = { source: { path: `asset.${key}`, packaging: 'file' }, destinations: place(key) };
  };
  for (const [key, bytes] of Object.entries(files)) add(key, bytes);
  // Guests that are made alike share their definition.
  const keys = new Map<GuestDefinition, string>();
  for (const definition of Object.values(guests)) {
    if (keys.has(definition)) continue;
    keys.set(definition, `definition-${keys.size}.json`);
    add(`definition-${keys.size - 1}.json`, definition);
  }
  const guestKeys = Object.entries(guests).map(([guest, definition]) => [guest, keys.get(definition)]);
  write('assets.json', { version: '48.0.0', files: assets });
  write('manifest.json', {
    version: '48.0.0',
    artifacts: {
      Assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } },
      Faults: {
        type: 'aws:cloudformation:stack',
        properties: { templateFile: 'template.json' },
        dependencies: ['Assets'],
      },
    },
  });
  write('template.json', template(Object.fromEntries(guestKeys) as Record<string, string>, host));
}

function template(
  guests: Readonly<Record<string, string>>,
  {
    leaseSeconds,
    packsInBucket = false,
    memorySize = 1769,
    timeout = 60,
  }: Omit<HostDescription, 'guests' | 'files'>,
): object {
  const variables = {
    TABLE_NAME: { Ref: 'Table' },
    QUEUE_URL: { Ref: 'Queue' },
    ASSETS_BUCKET: { 'Fn::Sub': BUCKET },
    GUESTS: JSON.stringify(guests),
    SLICE_SECONDS: '30',
    LEASE_SECONDS: String(leaseSeconds),
    ...(packsInBucket && { PACKS_BUCKET: { Ref: 'Packs' } }),
  };
  const key = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
  return {
    Resources: {
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: [key('pk'), key('sk')],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        },
      },
      ...(packsInBucket && { Packs: { Type: 'AWS::S3::Bucket', Properties: { BucketName: PACKS } } }),
      Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: timeout * 6 } },
      Worker: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Code: { S3Bucket: { 'Fn::Sub': BUCKET }, S3Key: 'code.zip' },
          Handler: 'index.handler',
          MemorySize: memorySize,
          // A slice asks for the next one: without this, the sixteenth would be the last.
          RecursiveLoop: 'Allow',
          Timeout: timeout,
          Environment: { Variables: variables },
        },
      },
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
          FunctionName: { Ref: 'Worker' },
          BatchSize: 1,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
        },
      },
    },
  };
}
