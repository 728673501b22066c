import * as fc from 'fast-check';
import { parseToken } from '../../../lambdas/queue/token';
import { InputError } from '../../../lambdas/store/errors';

describe('run tokens', () => {
  test.each([
    ['{"guest":"g","generation":0}', { guest: 'g', generation: 0 }],
    ['{"guest":"g","wake":true}', { guest: 'g', wake: true }],
  ])('%s', (body, token) => expect(parseToken(body)).toEqual(token));

  test.each([
    '', 'null', '[]', '{}', '{"guest":"g"}', '{"guest":1,"wake":true}', '{"guest":"","wake":true}',
    '{"guest":"g","generation":-1}', '{"guest":"g","generation":1.5}', '{"guest":"g","generation":"1"}',
    '{"guest":"g","wake":false}', '{"guest":"g","wake":true,"generation":1}', '{"guest":"a#b","generation":1}',
  ])('%s is refused', (body) => expect(() => parseToken(body)).toThrow(InputError)); // prettier-ignore

  test('anything at all is a token or an InputError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        try {
          parseToken(body);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
    );
  });
});
