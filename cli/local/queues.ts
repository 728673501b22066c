/** Creates the template's queues in the SQS server, through the real SDK. */
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Json } from './assembly';
import type { Resource } from './resources';

export const QUEUE_TYPES = ['AWS::SQS::Queue'];

/** Properties of `AWS::SQS::Queue` that are attributes of the same name in the API. */
const ATTRIBUTES = [
  'VisibilityTimeout',
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'FifoQueue',
  'ContentBasedDeduplication',
] as const;

export async function createQueues(client: SQSClient, queues: readonly Resource[]): Promise<void> {
  // Dead-letter queues first: a redrive policy must name a queue that exists.
  const ordered = [...queues].sort(
    (a, b) => Number('RedrivePolicy' in a.properties) - Number('RedrivePolicy' in b.properties),
  );
  for (const { name, properties } of ordered) {
    const attributes = ATTRIBUTES.flatMap((attribute) => {
      const value = properties[attribute];
      return value === undefined ? [] : [[attribute, attributeText(value)]];
    });
    await client.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: Object.fromEntries(attributes) as Record<string, string>,
      }),
    );
  }
}

function attributeText(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
