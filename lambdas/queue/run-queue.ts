/** The run queue: an SQS standard queue. It delivers at least once, in no order. */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Token } from './token';

/** The longest delay of a message (FACTS section 1). */
export const MAX_DELAY_SECONDS = 900;

export interface RunQueue {
  /** `delaySeconds`: rounded up to whole seconds, and cut at MAX_DELAY_SECONDS. */
  send(token: Token, delaySeconds?: number): Promise<void>;
}

export function sqsRunQueue(client: SQSClient, queueUrl: string): RunQueue {
  return {
    send: async (token, delaySeconds = 0) => {
      await client.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify(token),
          DelaySeconds: Math.min(MAX_DELAY_SECONDS, Math.max(0, Math.ceil(delaySeconds))),
        }),
      );
    },
  };
}
