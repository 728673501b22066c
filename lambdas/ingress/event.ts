/** What reaches the ingress: messages as they are, in a list, in SQS records, or as an EventBridge event's detail. */
import { InputError } from '../store/errors';
import type { Message } from './send';

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `newId` names messages whose carrier has no id of its own. @throws InputError naming what is wrong. */
export function messagesOf(event: unknown, newId: () => string): Message[] {
  if (Array.isArray(event)) return event.flatMap((element: unknown) => messagesOf(element, newId));
  if (!isRecord(event)) throw refuse(event);
  if (Array.isArray(event.Records))
    return event.Records.flatMap((record: unknown) => recordMessages(record, newId));
  // EventBridge: the event's id makes its redelivery recognisable.
  if (isRecord(event.detail) && typeof event.id === 'string') return [message(event.detail, event.id)];
  return [message(event, newId())];
}

function recordMessages(record: unknown, newId: () => string): Message[] {
  if (!isRecord(record) || typeof record.body !== 'string') throw refuse(record);
  let body: unknown;
  try {
    body = JSON.parse(record.body);
  } catch {
    throw refuse(record.body);
  }
  const carrier = typeof record.messageId === 'string' ? record.messageId : newId();
  let count = 0;
  return messagesOf(body, () => `${carrier}/${count++}`);
}

/** How a message's data becomes bytes, by type; undefined where it is not what the type takes. */
const DATA: Readonly<Record<Message['type'], (data: unknown) => string | undefined>> = {
  text: (data) => (typeof data === 'string' ? data : undefined),
  // Always JSON, text too: a guest reads one format, and a record has no line break in it.
  event: (data) => JSON.stringify(data),
};

const isType = (type: unknown): type is Message['type'] =>
  typeof type === 'string' && Object.hasOwn(DATA, type);

function message(fields: Fields, id: string): Message {
  const { guest, type } = fields;
  if (typeof guest !== 'string' || !isType(type)) throw refuse(fields);
  const data = DATA[type](fields.data);
  if (data === undefined) throw refuse(fields);
  return { guest, type, data, id: typeof fields.id === 'string' ? fields.id : id };
}

function refuse(found: unknown): InputError {
  const text = JSON.stringify(found) ?? String(found);
  return new InputError(
    `${text.slice(0, 200)} is no event for a guest: send {"guest": id, "type": "text", "data": text} to type on its ` +
      'console, or {"guest": id, "type": "event", "data": any JSON} to have it answered',
  );
}
