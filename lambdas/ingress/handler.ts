/** The ingress function: events from outside become inbox entries, and wake their guests. */
import type { Context } from 'aws-lambda';
import { guestsOf, required, type Environment } from '../surroundings/environment';
import { sqsRunQueue } from '../queue/run-queue';
import { dynamodbClient, dynamodbStore } from '../store/dynamodb';
import { InputError } from '../store/errors';
import { messagesOf } from './event';
import { send, type Ingress } from './send';

interface Deployed {
  readonly guests: ReadonlyMap<string, string>;
  readonly open: () => Ingress;
}

let deployed: Deployed | undefined;

export interface Receipt {
  readonly guest: string;
  readonly sequence: number;
}

/** Time for the table to take one event, throttles included. */
const DEADLINE_MS = 20_000;

/** @throws InputError for an event that no guest of this host can take; then none of the call's events was sent. */
export async function handler(event: unknown, context: Pick<Context, 'awsRequestId'>): Promise<Receipt[]> {
  deployed ??= deploy(process.env);
  const ingress = deployed.open();
  // Lambda repeats an asynchronous invocation under the same request id.
  let count = 0;
  const messages = messagesOf(event, () => `${context.awsRequestId}/${count++}`);
  for (const { guest } of messages) {
    if (deployed.guests.has(guest)) continue;
    // Forks and imported guests have a head, and no declaration.
    if ((await ingress.store.head(guest)) !== undefined) continue;
    const known = [...deployed.guests.keys()].join(', ');
    throw new InputError(`this host has no guest ${JSON.stringify(guest)}: its guests are ${known}`);
  }
  const receipts: Receipt[] = [];
  for (const message of messages)
    receipts.push({ guest: message.guest, sequence: await send(ingress, message) });
  return receipts;
}

function deploy(environment: Environment): Deployed {
  const client = dynamodbClient();
  const tableName = required(environment, 'TABLE_NAME');
  const queue = sqsRunQueue(required(environment, 'QUEUE_URL'), environment);
  return {
    guests: guestsOf(environment),
    open: () => ({
      store: dynamodbStore({ client, tableName, deadline: Date.now() + DEADLINE_MS }),
      queue,
      now: Date.now,
    }),
  };
}
