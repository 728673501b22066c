/**
 * The escape key of the guest's console, as QEMU's users know it
 * (QEMU System Emulation User's Guide, "Keys in the character backend multiplexer").
 */

const CTRL_A = 0x01;

export type EscapeAction = 'quit' | 'help';

export const ESCAPE_HELP = [
  'Ctrl-A H    print this help',
  'Ctrl-A X    quit; what the guest has not written to disk is lost',
  'Ctrl-A A    send Ctrl-A to the guest (so does Ctrl-A Ctrl-A)',
] as const;

/** What may follow Ctrl-A, upper or lower case; any other key is swallowed, as QEMU does. */
const AFTER_ESCAPE: Readonly<Record<string, EscapeAction | 'literal'>> = {
  x: 'quit',
  h: 'help',
  '?': 'help',
  a: 'literal',
  [String.fromCharCode(CTRL_A)]: 'literal',
};

export interface EscapeState {
  /** Ctrl-A was the last key. */
  readonly pending: boolean;
}

export const NO_ESCAPE: EscapeState = { pending: false };

/** Splits what was typed into what the guest gets and what we do. Pure: keys may arrive in any pieces. */
export function feedKeys(
  state: EscapeState,
  keys: Uint8Array,
): { readonly state: EscapeState; readonly guest: Uint8Array; readonly actions: readonly EscapeAction[] } {
  const guest: number[] = [];
  const actions: EscapeAction[] = [];
  let pending = state.pending;
  for (const key of keys) {
    if (!pending) {
      if (key === CTRL_A) pending = true;
      else guest.push(key);
      continue;
    }
    pending = false;
    const action = AFTER_ESCAPE[String.fromCharCode(key).toLowerCase()];
    if (action === 'literal') guest.push(CTRL_A);
    else if (action !== undefined) actions.push(action);
  }
  return { state: { pending }, guest: Uint8Array.from(guest), actions };
}
