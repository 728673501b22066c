import { messagesOf } from '../../../lambdas/ingress/event';
import { InputError } from '../../../lambdas/store/errors';

const message = { guest: 'g', type: 'text', data: 'ls\n' };

describe('what reaches the ingress', () => {
  let count = 0;
  const newId = (): string => `id-${(count += 1)}`;
  beforeEach(() => {
    count = 0;
  });

  test.each<[string, unknown, string[]]>([
    ['a message', message, ['id-1']],
    ['a message with an id', { ...message, id: 'mine' }, ['mine']],
    ['a list', [message, message], ['id-1', 'id-2']],
    [
      'SQS records',
      { Records: [{ messageId: 'm', body: JSON.stringify([message, message]) }] },
      ['m/0', 'm/1'],
    ],
    ['an EventBridge event', { id: 'e', 'detail-type': 'x', detail: message }, ['e']],
  ])('%s', (_, event, ids) => {
    expect(messagesOf(event, newId)).toEqual(ids.map((id) => ({ ...message, id })));
  });

  test.each<[unknown, string]>([
    [{ text: 'hello\nworld', n: [1, null] }, '{"text":"hello\\nworld","n":[1,null]}'],
    ['plain text\n', '"plain text\\n"'],
    [5, '5'],
    [null, 'null'],
    [false, 'false'],
  ])('the data of an event may be %j, and is one line of JSON', (data, json) => {
    const event = { guest: 'g', type: 'event', data };
    expect(messagesOf(event, newId)).toEqual([{ guest: 'g', type: 'event', data: json, id: 'id-1' }]);
  });

  test.each<[unknown]>([
    [{ guest: 'g', type: 'event' }], [{ ...message, type: 'toString' }], [{ ...message, type: ['text'] }],
    [undefined], ['text'], [{ guest: 'g' }], [{ ...message, type: 'x' }], [{ ...message, data: 5 }],
    [{ Records: [{ body: '{' }] }], [{ Records: [5] }], [[message, null]],
  ])('%j is refused', (event) => expect(() => messagesOf(event, newId)).toThrow(InputError)); // prettier-ignore
});
