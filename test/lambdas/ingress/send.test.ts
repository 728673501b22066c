/** An event whose sender tries again, since it never learned what became of the first try, is in the inbox once. */
import * as fc from 'fast-check';
import { send, type Ingress, type Message } from '../../../lambdas/ingress/send';
import { memoryStore } from '../../../lambdas/store/memory';
import type { CheckpointStore } from '../../../lambdas/store/store';

const message = (id: string): Message => ({ guest: 'g', type: 'text', data: `text of ${id}`, id });

function ingress(store: CheckpointStore, sent: unknown[], failures = 0): Ingress {
  let left = failures;
  const queue = {
    send: async (token: unknown) => {
      if (left-- > 0) throw new Error('no answer');
      sent.push(token);
    },
  };
  return { store, queue, now: () => 1 };
}

describe('an event that is sent again', () => {
  test('after the wake token got lost', async () => {
    const store = memoryStore();
    const sent: unknown[] = [];
    const flaky = ingress(store, sent, 1);
    await expect(send(flaky, message('one'))).rejects.toThrow('no answer');
    expect(await send(flaky, message('two'))).toBe(2);
    expect(await send(flaky, message('one'))).toBe(1);
    expect((await store.readInbox('g', 0, 9)).map(({ id }) => id)).toEqual(['one', 'two']);
    expect(sent).toHaveLength(2);
  });

  test('by several senders at once, while others send theirs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 25 }), async (events) => {
        const store = memoryStore();
        const numbers = await Promise.all(
          events.map(async (event) => [event, await send(ingress(store, []), message(`e${event}`))] as const),
        );
        const entries = await store.readInbox('g', 0, 99);
        expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, i) => i + 1));
        expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
        expect(entries).toHaveLength(new Set(events).size);
        for (const [event, sequence] of numbers) expect(entries[sequence - 1]?.id).toBe(`e${event}`);
      }),
    );
  });
});
