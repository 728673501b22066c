import { decide, type Decision, type Delivery } from '../../../lambdas/worker/decide';
import { firstHead } from '../../../lambdas/worker/slice';
import type { Head } from '../../../lambdas/store/store';

const NOW = 1_000_000;
const head = (change: Partial<Head>): Head => ({
  ...firstHead('g', 'd', NOW - 10),
  generation: 5,
  fencing: 9,
  committedFencing: 9,
  committedBy: 'committer',
  ...change,
});
const run = (generation: number, messageId = 'm'): Delivery => ({
  token: { guest: 'g', generation },
  messageId,
});
const wake = (messageId = 'm'): Delivery => ({ token: { guest: 'g', wake: true }, messageId });
const held = { lease: { owner: 'x', expires: NOW + 60_000 } };
const expired = { lease: { owner: 'x', expires: NOW } };
const idle = { status: 'idle' } as const;

describe('what a token means', () => {
  test.each<[string, Delivery, Partial<Head>, boolean, Partial<Decision>]>([
    ['its own token runs a runnable guest', run(5), {}, false, { kind: 'run' }],
    ['an expired lease is no hindrance', run(5), expired, false, { kind: 'run' }],
    ['a held lease returns it to the queue', run(5), held, false, { kind: 'return' }],
    ['an old token is forgotten', run(4), {}, false, { kind: 'drop' }],
    [
      'the committing message sends the next token',
      run(4, 'committer'),
      {},
      false,
      { kind: 'forward', delayMs: 0 },
    ],
    [
      'the committing message goes when the next slice runs',
      run(4, 'committer'),
      held,
      false,
      { kind: 'drop' },
    ],
    [
      'any token revives a guest that lost its own',
      run(4),
      { updatedAt: NOW - 400_000 },
      false,
      { kind: 'forward' },
    ],
    ['a token from the future counts as old', run(6), {}, false, { kind: 'drop' }],
    ['a timer that is due runs', run(5), { ...idle, wakeAt: NOW }, false, { kind: 'run', timerDue: true }],
    [
      'a timer that is early waits on',
      run(5),
      { ...idle, wakeAt: NOW + 700 },
      false,
      { kind: 'forward', delayMs: 700 },
    ],
    [
      'a lost timer is sent again',
      run(4, 'committer'),
      { ...idle, wakeAt: NOW + 700 },
      false,
      { kind: 'forward', delayMs: 700 },
    ],
    [
      'the same after a wake',
      wake('committer'),
      { ...idle, wakeAt: NOW + 700 },
      false,
      { kind: 'forward', delayMs: 700 },
    ],
    ['a run token of an idle guest without timer', run(5), idle, false, { kind: 'drop' }],
    ['a wake with something in the inbox', wake(), idle, true, { kind: 'run', timerDue: false }],
    ['a wake with an empty inbox', wake(), idle, false, { kind: 'drop' }],
    ['a wake before the timer is due', wake(), { ...idle, wakeAt: NOW + 5 }, false, { kind: 'drop' }],
    ['a wake of a runnable guest', wake(), {}, false, { kind: 'run' }],
    [
      'a wake while the lease is held waits',
      wake(),
      { ...idle, ...held },
      true,
      { kind: 'later', delayMs: 5000 },
    ],
    ['a halted guest', run(5), { status: 'halted' }, false, { kind: 'drop' }],
    ['a failed guest', wake(), { status: 'failed' }, true, { kind: 'drop' }],
    ['a suspended guest', wake(), { status: 'suspended' }, true, { kind: 'drop' }],
  ])('%s', (_, delivery, change, waiting, expected) => {
    // prettier-ignore
    expect(decide(delivery, head(change), NOW, waiting)).toMatchObject(expected);
  });
});
