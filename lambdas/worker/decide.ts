/** What a token means for a guest as its head stands: DESIGN 5.1's rules, as one function without effects. */
import type { Token } from '../queue/token';
import type { Head } from '../store/store';
import { isHeld } from './lease';

export type Decision =
  /** Take the lease and run a slice. `timerDue`: an idle guest's timer is what it waits for. */
  | { readonly kind: 'run'; readonly timerDue: boolean }
  /** Send the head's own token (it may have been lost in a crash), then forget this one. */
  | { readonly kind: 'forward'; readonly delayMs: number }
  /** Another worker runs the guest: send this token again, for when it has finished. */
  | { readonly kind: 'later'; readonly delayMs: number }
  /** Leave the token with the queue: it comes back after its visibility timeout. */
  | { readonly kind: 'return' }
  | { readonly kind: 'drop'; readonly why: string };

/** A token as the queue delivered it. The id is the same whenever the same message is delivered. */
export interface Delivery {
  readonly token: Token;
  readonly messageId: string;
}

/** How soon a wake token looks again whether the running slice is over. */
const WAKE_AGAIN_MS = 5000;

/** A head that calls for a slice, and gets none for so long, has lost its token whatever the reason. */
const STUCK_MS = 300_000;

/**
 * `inboxWaiting`: the inbox holds entries after the head's cursor; asked only for wake tokens of idle guests.
 *
 * Who answers for the head's own token: the message whose slice committed that
 * head, since the queue keeps it until the token is sent. So an old token
 * sends it only if it is that message; were any old token to do so, each
 * duplicate that the queue ever made would go on for the guest's whole life.
 */
export function decide(delivery: Delivery, head: Head, now: number, inboxWaiting: boolean): Decision {
  if (head.status !== 'runnable' && head.status !== 'idle') return drop(`the guest is ${head.status}`);
  const { token, messageId } = delivery;
  const timerDue = head.status === 'idle' && head.wakeAt !== undefined && head.wakeAt <= now;
  const wanted = head.status === 'runnable' || timerDue;
  const answersForNext = messageId === head.committedBy;

  if (isHeld(head, now)) {
    if ('wake' in token) {
      return { kind: 'later', delayMs: Math.min(WAKE_AGAIN_MS, (head.lease?.expires ?? now) - now) };
    }
    // Either a duplicate, or the holder died and this is its own token come back too early.
    if (token.generation === head.generation) return { kind: 'return' };
    return drop('the guest has moved on');
  }
  if ('wake' in token) {
    if (wanted || inboxWaiting) return { kind: 'run', timerDue };
    return answersForNext ? ownToken(head, now) : drop('nothing waits in the inbox');
  }
  if (token.generation === head.generation) return wanted ? { kind: 'run', timerDue } : ownToken(head, now);
  const stuck = wanted && now - (head.wakeAt ?? head.updatedAt) > STUCK_MS;
  return answersForNext || stuck ? ownToken(head, now) : drop('the guest has moved on');
}

/** The token that a head calls for: now, at its timer, or none. */
export function ownToken(head: Head, now: number): Extract<Decision, { kind: 'forward' | 'drop' }> {
  if (head.status === 'runnable') return { kind: 'forward', delayMs: 0 };
  if (head.status === 'idle' && head.wakeAt !== undefined) {
    return { kind: 'forward', delayMs: Math.max(0, head.wakeAt - now) };
  }
  return drop(head.status === 'idle' ? 'the guest waits for an event' : `the guest is ${head.status}`);
}

function drop(why: string): Extract<Decision, { kind: 'drop' }> {
  return { kind: 'drop', why };
}
