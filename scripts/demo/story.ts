/** What demonstrations have in common: how they are asked for, and how they reach guests in the local cloud. */
import type { LocalCloud } from '../../cli/local';
import { dynamodbStore } from '../../lambdas/store/dynamodb';
import type { CheckpointStore } from '../../lambdas/store/store';
import { DemoError } from './errors';
import type { DemoStack } from './stack';

export interface StoryOptions {
  readonly workers: number;
  /** Instructions of one slice at most: bounds it the same on a slow machine. */
  readonly sliceInstructions: number;
}

export function storeOf(cloud: LocalCloud, stack: DemoStack): CheckpointStore {
  return dynamodbStore({ client: cloud.dynamodb, tableName: stack.tableName, deadline: Infinity });
}

/** Sends messages to guests through the ingress function. @throws DemoError when it does not take them. */
export async function send(cloud: LocalCloud, stack: DemoStack, messages: unknown): Promise<void> {
  const { outcome, error } = await cloud.invoke(stack.ingress, messages);
  if (outcome === 'success') return;
  throw new DemoError(
    `the ingress function did not take the event: ${outcome}: ${error?.errorMessage ?? ''}`,
  );
}

/** Workers are called after their log stream, `local/<id>`. */
export function shortName(worker: string): string {
  return worker.replace(/^local\//, '');
}

export function logTail(log: readonly string[]): string {
  return log.length === 0 ? '' : `\nThe workers' log ends in:\n${log.slice(-8).join('\n')}`;
}
