/**
 * An SQS event source mapping: polls a queue, invokes the function with
 * batches, deletes what succeeded. What failed comes back when its visibility
 * timeout ends. Lambda Developer Guide, "Using Lambda with Amazon SQS".
 */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type Message,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { InvocationResult, WorkerProcess } from './worker-process';
import type { WorkerPool } from './worker-pool';
import { LIMITS } from './limits';

export interface EventSource {
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly region: string;
  readonly batchSize: number;
  /** The function answers with the messages that failed, instead of failing as a whole. */
  readonly reportBatchItemFailures: boolean;
}

export interface PollerOptions {
  /**
   * Seconds after which messages that were not consumed (their worker died, the function failed, or it named them
   * as failed) are visible again. Default: the queue's visibility timeout, as in the cloud; tests and
   * demonstrations cannot wait that long.
   */
  readonly redeliverAfterSeconds?: number;
  /** False: the event is dropped, as if its function had taken it. */
  readonly admits?: (event: unknown) => boolean;
  readonly invoked?: (worker: WorkerProcess, event: unknown) => void;
  readonly answered?: (worker: WorkerProcess, event: unknown, result: InvocationResult) => void;
  readonly failed?: (error: Error) => void;
}

export class Poller {
  private readonly client: SQSClient;
  private readonly source: EventSource;
  private readonly pool: WorkerPool;
  private readonly options: PollerOptions;
  private readonly stopping = new AbortController();
  private readonly batches = new Set<Promise<void>>();
  private readonly loop: Promise<void>;

  constructor(client: SQSClient, source: EventSource, pool: WorkerPool, options: PollerOptions = {}) {
    this.client = client;
    this.source = source;
    this.pool = pool;
    this.options = options;
    this.loop = this.poll();
  }

  /** Stops receiving. Batches under way end when their workers do. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    await Promise.all(this.batches);
  }

  private async poll(): Promise<void> {
    const { signal } = this.stopping;
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    while (!signal.aborted) {
      // Messages are taken only when a worker is free to serve them: their visibility timeout is running.
      await Promise.race([this.pool.whenFree(), stopped]);
      const messages = await this.receive(signal);
      if (messages.length === 0) continue;
      const batch = this.serve(messages).catch((error: unknown) => this.report(error));
      this.batches.add(batch);
      void batch.then(() => this.batches.delete(batch));
    }
  }

  private async receive(abortSignal: AbortSignal): Promise<Message[]> {
    try {
      const { Messages } = await this.client.send(
        new ReceiveMessageCommand({
          QueueUrl: this.source.queueUrl,
          MaxNumberOfMessages: Math.min(10, this.source.batchSize),
          WaitTimeSeconds: LIMITS.longPollSeconds,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
        { abortSignal },
      );
      return Messages ?? [];
    } catch (error) {
      if (!abortSignal.aborted) {
        this.report(error);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      return [];
    }
  }

  private async serve(messages: readonly Message[]): Promise<void> {
    const event = { Records: messages.map((message) => this.record(message)) };
    if (this.options.admits?.(event) === false) return this.remove(messages);
    let worker: WorkerProcess | undefined;
    const result = await this.pool.invoke(event, (chosen) => {
      worker = chosen;
      this.options.invoked?.(chosen, event);
    });
    // What becomes of the messages comes first: whoever is told of the answer may look at the queue.
    await this.settle(messages, result);
    if (worker !== undefined) this.options.answered?.(worker, event, result);
  }

  private async settle(messages: readonly Message[], result: InvocationResult): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const failed = this.failedMessages(result);
    const isDone = ({ MessageId }: Message) => failed !== 'all' && !failed.has(MessageId ?? '');
    const entries = (chosen: readonly Message[]) =>
      chosen.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    const { queueUrl: QueueUrl } = this.source;

    const done = messages.filter(isDone);
    if (done.length > 0) {
      await this.client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: entries(done) }));
    }
    const kept = messages.filter((message) => !isDone(message));
    const VisibilityTimeout = this.options.redeliverAfterSeconds;
    if (VisibilityTimeout === undefined || kept.length === 0) return;
    const Entries = entries(kept).map((entry) => ({ ...entry, VisibilityTimeout }));
    await this.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
  }

  private async remove(messages: readonly Message[]): Promise<void> {
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await this.client.send(new DeleteMessageBatchCommand({ QueueUrl: this.source.queueUrl, Entries }));
  }

  private failedMessages(result: InvocationResult): ReadonlySet<string> | 'all' {
    if (result.outcome !== 'success') return 'all';
    return this.source.reportBatchItemFailures ? failedItems(result.value) : new Set();
  }

  private record(message: Message): object {
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes ?? {},
      messageAttributes: Object.fromEntries(
        Object.entries(message.MessageAttributes ?? {}).map(
          ([name, { DataType, StringValue, BinaryValue }]) => [
            name,
            {
              dataType: DataType,
              stringValue: StringValue,
              binaryValue:
                BinaryValue === undefined ? undefined : Buffer.from(BinaryValue).toString('base64'),
            },
          ],
        ),
      ),
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: this.source.queueArn,
      awsRegion: this.source.region,
    };
  }

  private report(error: unknown): void {
    if (!this.stopping.signal.aborted)
      this.options.failed?.(error instanceof Error ? error : new Error(String(error)));
  }
}

/** "Implementing partial batch responses": an answer that is no such list fails the whole batch. */
function failedItems(value: unknown): ReadonlySet<string> | 'all' {
  if (value === null || value === undefined) return new Set();
  const failures = (value as { batchItemFailures?: unknown }).batchItemFailures;
  if (failures === null || failures === undefined) return new Set();
  if (!Array.isArray(failures)) return 'all';
  const identifiers = failures.map(
    (item: unknown) => (item as { itemIdentifier?: unknown } | null)?.itemIdentifier,
  );
  if (identifiers.some((identifier) => typeof identifier !== 'string' || identifier === '')) return 'all';
  return new Set(identifiers as string[]);
}
