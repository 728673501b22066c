import fc from 'fast-check';
import { ConsoleLog } from '../../engine/backends/console';

describe('console log', () => {
  test('gives back every byte once, in order', () => {
    const chunk = fc.oneof(fc.nat(0xff), fc.uint8Array({ maxLength: 9000 }), fc.constant('take' as const));
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const log = new ConsoleLog();
        const wrote: number[] = [];
        const taken: number[] = [];
        for (const each of chunks) {
          if (each === 'take') taken.push(...log.take());
          else if (typeof each === 'number') log.append(each);
          else log.appendAll(each);
          if (each !== 'take') wrote.push(...(typeof each === 'number' ? [each] : each));
        }
        taken.push(...log.take());
        expect(taken).toEqual(wrote);
        expect(log.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test('is full from its limit on, until taken, and still loses nothing', () => {
    const log = new ConsoleLog(3);
    log.appendAll(Uint8Array.of(1, 2));
    expect(log.full).toBe(false);
    log.appendAll(Uint8Array.of(3, 4));
    expect(log.full).toBe(true);
    expect([...log.take()]).toEqual([1, 2, 3, 4]);
    expect(log.full).toBe(false);
  });
});
