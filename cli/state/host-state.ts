/** A deployed host's state, as the commands about it need it. */
import { type Command } from 'commander';
import type { GuestFactory } from '../../engine/models/create';
import { sqsRunQueue, type RunQueue } from '../../lambdas/queue/run-queue';
import { dynamodbClient, dynamodbStore } from '../../lambdas/store/dynamodb';
import { s3Client } from '../../lambdas/store/s3';
import type { CheckpointStore, Head } from '../../lambdas/store/store';
import { ownToken } from '../../lambdas/worker/decide';
import { Images, s3Assets } from '../../lambdas/worker/image';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../usage-error';

export interface HostFlags {
  readonly table?: string;
  readonly packs?: string;
  readonly assets?: string;
  readonly queue?: string;
}

export interface HostState {
  readonly store: CheckpointStore;
  readonly queue: RunQueue | undefined;
  /** @throws UsageError when the assets bucket is not given. */
  readonly images: () => Images;
  readonly now: () => number;
}

/** What the commands need of the world. */
export interface StateContext {
  readonly host: {
    readonly stdout: { write(text: string | Uint8Array): unknown };
    readonly stderr: { write(text: string): unknown };
  };
  readonly openState: (flags: HostFlags) => HostState;
  readonly createGuest: GuestFactory;
  readonly exit: (status: number) => void;
}

const DETAILS = `
The host's table, bucket and queue are outputs of its stack, or stand in the environment of its worker function:
TABLE_NAME, PACKS_BUCKET, ASSETS_BUCKET, QUEUE_URL. Region and credentials are those of the AWS SDK.`;

/** A command about one host, with the options that say which. */
export function stateCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--table <name>', "the host's state table (default: $TABLE_NAME)")
    .option('--packs <bucket>', 'the bucket of its packs, if it has one (default: $PACKS_BUCKET)')
    .option('--assets <bucket>', 'the bucket of its assets (default: $ASSETS_BUCKET)')
    .option('--queue <url>', 'its run queue (default: $QUEUE_URL)')
    .addHelpText('after', DETAILS);
}

/** How long one command's requests are repeated. */
const PATIENCE_MS = 60_000;

/** @throws UsageError */
export function openState(flags: HostFlags, environment: NodeJS.ProcessEnv): HostState {
  const tableName = flags.table ?? environment.TABLE_NAME;
  if (tableName === undefined) {
    throw new UsageError('which host? give --table NAME, the name of its state table, or set TABLE_NAME');
  }
  const bucket = flags.packs ?? environment.PACKS_BUCKET;
  const assets = flags.assets ?? environment.ASSETS_BUCKET;
  const queueUrl = flags.queue ?? environment.QUEUE_URL;
  const s3 = s3Client(environment);
  return {
    store: dynamodbStore({
      client: dynamodbClient(),
      tableName,
      deadline: Date.now() + PATIENCE_MS,
      ...(bucket === undefined ? {} : { packs: { client: s3, bucket } }),
    }),
    queue: queueUrl === undefined ? undefined : sqsRunQueue(queueUrl, environment),
    images: () => {
      if (assets === undefined) throw new UsageError('give --assets BUCKET, or set ASSETS_BUCKET');
      return new Images(s3Assets(s3, assets), join(tmpdir(), 'cdk-hypervisor-images'));
    },
    now: Date.now,
  };
}

/** Sends the token that a new head calls for, or says that there is none. */
export async function wake({ queue, now }: HostState, head: Head, { host }: StateContext): Promise<void> {
  const next = ownToken(head, now());
  if (next.kind === 'drop') return;
  const token = { guest: head.guest, generation: head.generation };
  if (queue !== undefined) return queue.send(token, next.delayMs / 1000);
  host.stderr.write(
    `hv: it runs when its queue gets ${JSON.stringify(token)}; give --queue URL to have it sent\n`,
  );
}

/** @throws UsageError */
export function generationNumber(flag: string, given: string): number {
  if (/^\d{1,10}$/.test(given)) return Number(given);
  throw new UsageError(`${flag} ${given} is no generation; give one of those that "hv history" shows`);
}
