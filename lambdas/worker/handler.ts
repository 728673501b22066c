/** The worker function: one message of the run queue, one token, at most one slice. */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { guestFactory } from '../../engine/models/create';
import { guestsOf, positive, required, type Environment } from '../surroundings/environment';
import { hostServices } from '../surroundings/host-services';
import { sqsRunQueue } from '../queue/run-queue';
import { parseToken } from '../queue/token';
import { SHORTEST_HISTORY } from '../store/collect';
import { dynamodbClient, dynamodbStore } from '../store/dynamodb';
import { InputError } from '../store/errors';
import { s3Client } from '../store/s3';
import { FlushRate } from './flush-rate';
import { Images, s3Assets } from './image';
import { WarmPlace } from './restore';
import { processToken, type Worker } from './slice';

/** Slice length without `SLICE_SECONDS`. */
const DEFAULT_SLICE_SECONDS = 60;

/** Made by the first invocation, and kept as long as the process lives: in it the guest that stays warm. */
let worker: Worker | undefined;

export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  worker ??= createWorker(process.env, context.logStreamName);
  const timeout = Date.now() + context.getRemainingTimeInMillis();
  const batchItemFailures: { itemIdentifier: string }[] = [];
  for (const { messageId, body } of event.Records) {
    if (!(await settled(worker, messageId, body, timeout)))
      batchItemFailures.push({ itemIdentifier: messageId });
  }
  await worker.images.settle();
  return { batchItemFailures };
}

/** True when the queue may delete the message. */
async function settled(worker: Worker, messageId: string, body: string, timeout: number): Promise<boolean> {
  try {
    const outcome = await processToken(worker, { messageId, token: parseToken(body) }, timeout);
    if (outcome.kind === 'dropped' || outcome.kind === 'returned')
      worker.log({ message: 'token', body, ...outcome });
    return outcome.kind !== 'returned';
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    worker.log({ message: 'token failed', body: body.slice(0, 500), error: name, reason: message, stack });
    return error instanceof InputError;
  }
}

function createWorker(environment: Environment, logStream: string): Worker {
  const dynamodb = dynamodbClient();
  const tableName = required(environment, 'TABLE_NAME');
  const s3 = s3Client(environment);
  const { PACKS_BUCKET } = environment;
  const packs = PACKS_BUCKET === undefined ? {} : { packs: { client: s3, bucket: PACKS_BUCKET } };
  const generations = positive(environment, 'HISTORY_GENERATIONS') ?? SHORTEST_HISTORY.generations;
  const ageMs = 1000 * (positive(environment, 'HISTORY_SECONDS') ?? 0);
  const leaseSeconds = positive(environment, 'LEASE_SECONDS');
  const sliceInstructions = positive(environment, 'SLICE_INSTRUCTIONS');
  return {
    name: logStream,
    bill: {
      functionName: environment.AWS_LAMBDA_FUNCTION_NAME ?? 'worker',
      memoryMb: positive(environment, 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE') ?? 0,
      architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
    },
    guests: guestsOf(environment),
    openStore: (deadline) => dynamodbStore({ client: dynamodb, tableName, deadline, ...packs }),
    queue: sqsRunQueue(required(environment, 'QUEUE_URL'), environment),
    images: new Images(
      s3Assets(s3, required(environment, 'ASSETS_BUCKET')),
      join(tmpdir(), 'cdk-hypervisor-images'),
    ),
    createGuest: guestFactory(hostServices),
    warm: new WarmPlace(),
    flushRate: new FlushRate(),
    now: Date.now,
    sleep: (milliseconds) => pause(milliseconds),
    newId: randomUUID,
    log: (record) => console.log(JSON.stringify(record)),
    history: { generations, ageMs },
    sliceMs: 1000 * (positive(environment, 'SLICE_SECONDS') ?? DEFAULT_SLICE_SECONDS),
    ...(leaseSeconds === undefined ? {} : { leaseMs: leaseSeconds * 1000 }),
    ...(sliceInstructions === undefined ? {} : { sliceInstructions }),
  };
}
