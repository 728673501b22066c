/**
 * Run tokens: the messages that ask for a slice (DESIGN 5.1).
 *
 * - `{guest, generation}` asks for the slice after that generation, once: when
 *   the guest has moved on, it never runs another. Delayed, it is a timer.
 * - `{guest, wake: true}` says that something waits in the inbox.
 */
import { checkGuestId } from '../store/keys';
import { InputError } from '../store/errors';

export interface RunToken {
  readonly guest: string;
  readonly generation: number;
}

export interface WakeToken {
  readonly guest: string;
  readonly wake: true;
}

export type Token = RunToken | WakeToken;

/** @throws InputError on what is no token; such a message is never worth another try. */
export function parseToken(body: string): Token {
  const refuse = (found: string): InputError =>
    new InputError(
      `${found} is no run token: send {"guest": id, "generation": n} or {"guest": id, "wake": true}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw refuse(quote(body));
  }
  if (typeof value !== 'object' || value === null) throw refuse(quote(body));
  const { guest, generation, wake } = value as Partial<Record<'guest' | 'generation' | 'wake', unknown>>;
  if (typeof guest !== 'string') throw refuse(quote(body));
  checkGuestId(guest);
  if (wake === true && generation === undefined) return { guest, wake };
  if (
    wake === undefined &&
    typeof generation === 'number' &&
    Number.isSafeInteger(generation) &&
    generation >= 0
  ) {
    return { guest, generation };
  }
  throw refuse(quote(body));
}

const quote = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
