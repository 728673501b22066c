import fc from 'fast-check';
import { feedKeys, NO_ESCAPE, type EscapeAction } from '../../../cli/terminal/escape-keys';

const keys = (text: string) => Buffer.from(text, 'latin1');

function feed(...pieces: Uint8Array[]): { guest: string; actions: EscapeAction[]; pending: boolean } {
  let state = NO_ESCAPE;
  let guest = '';
  const actions: EscapeAction[] = [];
  for (const piece of pieces) {
    const fed = feedKeys(state, piece);
    state = fed.state;
    guest += Buffer.from(fed.guest).toString('latin1');
    actions.push(...fed.actions);
  }
  return { guest, actions, pending: state.pending };
}

describe('escape keys', () => {
  test.each<[string, string, EscapeAction[]]>([
    ['ls\r', 'ls\r', []],
    ['\x03\x04\x1b[A', '\x03\x04\x1b[A', []],
    ['a\x01xb', 'ab', ['quit']],
    ['\x01X', '', ['quit']],
    ['\x01h\x01?\x01H', '', ['help', 'help', 'help']],
    ['\x01a', '\x01', []],
    ['\x01A', '\x01', []],
    ['\x01\x01', '\x01', []],
    ['\x01\x01x', '\x01x', []],
    ['\x01q', '', []],
    ['x\x01', 'x', []],
  ])('%j gives the guest %j and does %j', (typed, guest, actions) => {
    expect(feed(keys(typed))).toMatchObject({ guest, actions });
  });

  test('keys may arrive in any pieces', () => {
    const key = fc.constantFrom(...keys('\x01\x01\x01xhaAX?q\r\xff'));
    fc.assert(
      fc.property(fc.array(fc.array(key)), (pieces) => {
        expect(feed(...pieces.map((piece) => Uint8Array.from(piece)))).toEqual(
          feed(Uint8Array.from(pieces.flat())),
        );
      }),
    );
  });

  test('what holds no Ctrl-A reaches the guest unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const plain = bytes.filter((byte) => byte !== 1);
        expect(feedKeys(NO_ESCAPE, plain)).toEqual({ state: NO_ESCAPE, guest: plain, actions: [] });
      }),
    );
  });
});
