/** The run queue: an SQS standard queue. It delivers at least once, in no order. */
import type { Environment } from '../surroundings/environment';
import type { Token } from './token';

/** The longest delay of a message (FACTS section 1). */
export const MAX_DELAY_SECONDS = 900;

export interface RunQueue {
  /** `delaySeconds`: rounded up to whole seconds, and cut at MAX_DELAY_SECONDS. */
  send(token: Token, delaySeconds?: number): Promise<void>;
}

/** The queue at `queueUrl`. An endpoint set by the environment (a local queue) counts for more than the URL's host. */
export function sqsRunQueue(queueUrl: string, environment: Environment): RunQueue {
  let made: ReturnType<typeof load> | undefined;
  return {
    send: async (token, delaySeconds = 0) => {
      const { SendMessageCommand, client } = await (made ??= load(environment));
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

/** Loaded with the first message: a slice's restore and run do without. */
async function load(environment: Environment) {
  const { SendMessageCommand, SQSClient } = await import('@aws-sdk/client-sqs');
  const useQueueUrlAsEndpoint = environment.AWS_ENDPOINT_URL_SQS === undefined;
  return { SendMessageCommand, client: new SQSClient({ useQueueUrlAsEndpoint }) };
}
