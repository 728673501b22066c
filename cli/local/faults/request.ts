/** A request of a function to a service, as the proxy between them reads it. */
import type { Json, JsonObject } from '../assembly';

export type Service = 'dynamodb' | 'sqs';

export interface ServiceRequest {
  readonly service: Service;
  /** E.g. `PutItem`, `SendMessage`. */
  readonly operation: string;
  readonly input: JsonObject;
  /** Id of the worker process that asks; empty for others. */
  readonly worker: string;
}

/** `x-amz-target: DynamoDB_20120810.PutItem`, `AmazonSQS.SendMessage`; the worker names itself in its user agent. */
export function readRequest(
  service: Service,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Uint8Array,
): ServiceRequest {
  const target = String(headers['x-amz-target'] ?? '');
  const agent = `${String(headers['user-agent'] ?? '')} ${String(headers['x-amz-user-agent'] ?? '')}`;
  let input: Json = {};
  try {
    input = JSON.parse(Buffer.from(body).toString()) as Json;
  } catch {
    // The service says what is wrong with it.
  }
  return {
    service,
    operation: target.slice(target.indexOf('.') + 1),
    input: typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as JsonObject) : {},
    worker: /\bapp\/worker-([\w.-]+)/.exec(agent)?.[1] ?? '',
  };
}

const KEY = 'pk';

/** Value of the partition key that a DynamoDB request is for; empty when it is for several or none. */
export function partitionKeyOf({ input }: ServiceRequest): string {
  const attributes = (input['Item'] ?? input['Key'] ?? {}) as JsonObject;
  const named = (input['ExpressionAttributeValues'] ?? {}) as JsonObject;
  const value = (attributes[KEY] ?? named[`:${KEY}`] ?? {}) as JsonObject;
  return typeof value['S'] === 'string' ? value['S'] : '';
}

/** Write units of a request (1 KB each, started ones count whole), from the size of what it writes; 0 for a read. */
export function writeUnitsOf({ operation, input }: ServiceRequest): number {
  if (operation === 'DeleteItem' || operation === 'UpdateItem') return 1;
  if (operation !== 'PutItem') return 0;
  const item = (input['Item'] ?? {}) as JsonObject;
  let bytes = 0;
  for (const [name, value] of Object.entries(item)) bytes += name.length + valueBytes(value as JsonObject);
  return Math.max(1, Math.ceil(bytes / 1024));
}

function valueBytes(value: JsonObject): number {
  if (typeof value['B'] === 'string') return Math.floor((value['B'].length * 3) / 4);
  return String(value['S'] ?? value['N'] ?? '').length;
}
