/** The store in one DynamoDB table with string keys `pk` and `sk`. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type AttributeValue,
} from '@aws-sdk/client-dynamodb';
import { setTimeout as pause } from 'node:timers/promises';
import { plain } from './codec';
import { retry, type RetryTiming } from './retry';
import { S3Packs, type PacksBucket } from './s3';
import {
  checkItemSize,
  itemBytes,
  Usage,
  type Condition,
  type Item,
  type Key,
  type Range,
  type Table,
} from './table';
import { TableStore } from './table-store';

export interface DynamoTableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Throttled requests are repeated until then, in milliseconds since the epoch. Default: a minute from now. */
  readonly deadline?: number;
  readonly timing?: Partial<Omit<RetryTiming, 'deadline'>>;
}

/** A client whose repetitions are ours (`retry`), so that a conditional put whose answer got lost is understood. */
export function dynamodbClient(): DynamoDBClient {
  return new DynamoDBClient({ maxAttempts: 1, base64Decoder: decodeBase64 });
}

/** The SDK's own looks through all of the text first, which costs more than the decoding: packs have their SHA-256. */
function decodeBase64(text: string): Uint8Array {
  return plain(Buffer.from(text, 'base64'));
}

/** A store on a table that exists; its packs may lie in a bucket that exists. */
export function dynamodbStore(options: DynamoTableOptions & { readonly packs?: PacksBucket }): TableStore {
  const table = new DynamoTable(options);
  const { packs } = options;
  return new TableStore(table, packs && new S3Packs(packs, table.usage, table.timing));
}

export class DynamoTable implements Table {
  readonly usage = new Usage();
  private readonly client: DynamoDBClient;
  private readonly tableName: string;
  readonly timing: RetryTiming;

  constructor(options: DynamoTableOptions) {
    this.client = options.client;
    this.tableName = options.tableName;
    this.timing = {
      now: Date.now,
      sleep: (milliseconds) => pause(milliseconds),
      random: Math.random,
      ...options.timing,
      deadline: options.deadline ?? Date.now() + 60_000,
    };
  }

  async get(key: Key): Promise<Item | undefined> {
    const { Item: found } = await retry(`GetItem ${key.pk} / ${key.sk}`, this.timing, () =>
      this.client.send(
        new GetItemCommand({ TableName: this.tableName, Key: keyAttributes(key), ConsistentRead: true }),
      ),
    );
    const item = found === undefined ? undefined : fromAttributes(found);
    this.usage.read(item === undefined ? 0 : itemBytes(item));
    return item;
  }

  async put(item: Item, condition?: Condition): Promise<boolean> {
    checkItemSize(item);
    this.usage.wrote(itemBytes(item));
    const command = new PutItemCommand({
      TableName: this.tableName,
      Item: toAttributes(item),
      ...conditionExpression(condition),
    });
    return retry(`PutItem ${item.pk} / ${item.sk}`, this.timing, async (mayHaveHappened) => {
      try {
        await this.client.send(command);
        return true;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        // The lost answer to an earlier try may have been "done": then our own item is what stands in the way.
        return mayHaveHappened && sameItem(await this.get(item), item);
      }
    });
  }

  async delete(key: Key): Promise<void> {
    this.usage.wrote(0);
    await retry(`DeleteItem ${key.pk} / ${key.sk}`, this.timing, () =>
      this.client.send(new DeleteItemCommand({ TableName: this.tableName, Key: keyAttributes(key) })),
    );
  }

  async *query(pk: string, range: Range = {}): AsyncIterable<Item> {
    const { from, to, descending = false, keysOnly = false } = range;
    // A range that holds nothing is an error to DynamoDB.
    if (from !== undefined && to !== undefined && from > to) return;
    let left = range.limit ?? Infinity;
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await retry(`Query ${pk}`, this.timing, () =>
        this.client.send(
          new QueryCommand({
            TableName: this.tableName,
            ConsistentRead: true,
            ScanIndexForward: !descending,
            KeyConditionExpression: `pk = :pk${rangeExpression(from, to)}`,
            ExpressionAttributeValues: {
              ':pk': { S: pk },
              ...(from === undefined ? {} : { ':from': { S: from } }),
              ...(to === undefined ? {} : { ':to': { S: to } }),
            },
            ...(keysOnly ? { ProjectionExpression: 'pk, sk' } : {}),
            ...(left === Infinity ? {} : { Limit: left }),
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        ),
      );
      for (const attributes of page.Items ?? []) {
        const item = fromAttributes(attributes);
        this.usage.read(itemBytes(item));
        left -= 1;
        yield item;
      }
      start = page.LastEvaluatedKey;
    } while (start !== undefined && left > 0);
  }
}

function rangeExpression(from: string | undefined, to: string | undefined): string {
  if (from !== undefined && to !== undefined) return ' AND sk BETWEEN :from AND :to';
  if (from !== undefined) return ' AND sk >= :from';
  return to === undefined ? '' : ' AND sk <= :to';
}

interface ConditionInput {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

function conditionExpression(condition: Condition | undefined): ConditionInput {
  if (condition === undefined) return {};
  if ('absent' in condition) return { ConditionExpression: 'attribute_not_exists(pk)' };
  const terms = Object.entries(condition.equals);
  return {
    ConditionExpression: terms.map((_, i) => `#c${i} = :c${i}`).join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(terms.map(([name], i) => [`#c${i}`, name])),
    ExpressionAttributeValues: Object.fromEntries(
      terms.map(([, value], i) => [`:c${i}`, toAttribute(value)]),
    ),
  };
}

function keyAttributes(key: Key): Record<string, AttributeValue> {
  return { pk: { S: key.pk }, sk: { S: key.sk } };
}

function toAttribute(value: Item[string]): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  return { B: value };
}

function toAttributes(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toAttribute(value)]));
}

function fromAttributes(attributes: Record<string, AttributeValue>): Item {
  const item: Record<string, Item[string]> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value.S !== undefined) item[name] = value.S;
    else if (value.N !== undefined) item[name] = Number(value.N);
    else if (value.B !== undefined) item[name] = value.B;
  }
  return { ...item, pk: String(item.pk), sk: String(item.sk) };
}

function sameItem(a: Item | undefined, b: Item): boolean {
  if (a === undefined) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => sameValue(a[name], b[name]));
}

function sameValue(a: Item[string] | undefined, b: Item[string] | undefined): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}
