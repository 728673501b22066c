/** Where a deployed host is: its table and queue, by options or by the variables that its functions have. */
import type { Command } from 'commander';
import { dynamodbClient, dynamodbStore } from '../../lambdas/store/dynamodb';
import type { CheckpointStore } from '../../lambdas/store/store';
import { UsageError } from '../usage-error';

export interface Place {
  readonly table?: string;
  readonly queue?: string;
}

export function placeOptions(command: Command): Command {
  return command
    .option('--table <name>', "the host's table (default: $TABLE_NAME)")
    .option('--queue <url>', "the host's run queue (default: $QUEUE_URL)");
}

const VARIABLES = { table: 'TABLE_NAME', queue: 'QUEUE_URL' } as const;

/** @throws UsageError */
export function placed(place: Place, part: keyof Place): string {
  const value = place[part] ?? process.env[VARIABLES[part]];
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`which ${part}? give --${part}, or set ${VARIABLES[part]}`);
}

export function storeAt(place: Place): CheckpointStore {
  return dynamodbStore({ client: dynamodbClient(), tableName: placed(place, 'table') });
}
