import { DynamoTable } from '../../../lambdas/store/dynamodb';
import { StoreDeadlineError } from '../../../lambdas/store/errors';
import { retry } from '../../../lambdas/store/retry';
import { localTable, type LocalTable } from '../dynalite';

const failure = (name: string): Error => Object.assign(new Error(name), { name });

/** A clock that moves by sleeping. */
function timing(deadline: number) {
  const pauses: number[] = [];
  let time = 0;
  return {
    pauses,
    timing: {
      now: () => time,
      sleep: async (milliseconds: number) => {
        pauses.push(milliseconds);
        time += milliseconds;
      },
      random: () => 1,
      deadline,
    },
  };
}

describe('repeating what a busy table refused', () => {
  test('throttles are repeated with growing pauses until they pass', async () => {
    const { timing: clock, pauses } = timing(1e9);
    let tries = 0;
    const result = await retry('Put', clock, async () => {
      tries += 1;
      if (tries < 10) throw failure('ProvisionedThroughputExceededException');
      return 'done';
    });
    expect(result).toBe('done');
    expect(pauses).toEqual([25, 50, 100, 200, 400, 800, 1600, 3000, 3000]);
  });

  test('until the deadline, and not a moment longer', async () => {
    const { timing: clock } = timing(1000);
    const attempt = retry('Put', clock, () => Promise.reject(failure('ThrottlingException')));
    await expect(attempt).rejects.toThrow(StoreDeadlineError);
    expect(clock.now()).toBeLessThanOrEqual(1000);
  });

  test('what will not get better is passed on at once', async () => {
    const { timing: clock, pauses } = timing(1000);
    await expect(retry('Put', clock, () => Promise.reject(failure('ValidationException')))).rejects.toThrow(
      'ValidationException',
    );
    expect(pauses).toEqual([]);
  });

  test('an attempt knows whether an earlier one may have happened', async () => {
    const { timing: clock } = timing(1e9);
    const told: boolean[] = [];
    const failures = ['ThrottlingException', 'TimeoutError', 'ThrottlingException'];
    await retry('Put', clock, async (mayHaveHappened) => {
      told.push(mayHaveHappened);
      const name = failures[told.length - 1];
      if (name !== undefined) throw failure(name);
    });
    expect(told).toEqual([false, false, true, true]);
  });
});

describe('a conditional put whose answer got lost', () => {
  let local: LocalTable;
  beforeAll(async () => {
    local = await localTable();
  });
  afterAll(() => local.close());

  /** A client whose first puts are carried out (or not), and then fail. */
  function lossy(carriedOut: boolean, name: string): DynamoTable {
    let losses = 1;
    const client = new Proxy(local.client, {
      get: (target, property) => {
        if (property !== 'send') return Reflect.get(target, property) as unknown;
        return async (command: { constructor: { name: string } }) => {
          if (command.constructor.name !== 'PutItemCommand' || losses === 0)
            return target.send(command as never);
          losses -= 1;
          if (carriedOut) await target.send(command as never);
          throw failure(name);
        };
      },
    });
    return new DynamoTable({ client, tableName: local.tableName, timing: { sleep: async () => undefined } });
  }

  test.each([
    ['carried out', true, 'TimeoutError'],
    ['not carried out', false, 'TimeoutError'],
    ['refused', false, 'ProvisionedThroughputExceededException'],
  ])('%s: it counts as done', async (what, carriedOut, name) => {
    const table = lossy(carriedOut, name);
    const item = { pk: `lost ${what}`, sk: 'x', n: 5, b: new Uint8Array([1, 2]) };
    expect(await table.put(item, { absent: true })).toBe(true);
    expect(await table.get(item)).toMatchObject({ n: 5 });
  });

  test('but not when another item was there', async () => {
    const table = lossy(false, 'TimeoutError');
    await new DynamoTable(local).put({ pk: 'other', sk: 'x', n: 1 });
    expect(await table.put({ pk: 'other', sk: 'x', n: 2 }, { absent: true })).toBe(false);
    expect(await table.get({ pk: 'other', sk: 'x' })).toMatchObject({ n: 1 });
  });
});
