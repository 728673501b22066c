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

/** How soon a wake token looks again whether the running slice is over. */
const WAKE_AGAIN_MS = 5000;

/** `inboxWaiting`: the inbox holds entries after the head's cursor; asked only for wake tokens of idle guests. */
export function decide(token: Token, head: Head, now: number, inboxWaiting: boolean): Decision {
  if (head.status !== 'runnable' && head.status !== 'idle') return drop(`the guest is ${head.status}`);
  const held = isHeld(head, now);
  const timerDue = head.status === 'idle' && head.wakeAt !== undefined && head.wakeAt <= now;

  if ('wake' in token) {
    if (held) return { kind: 'later', delayMs: Math.min(WAKE_AGAIN_MS, (head.lease?.expires ?? now) - now) };
    if (head.status === 'runnable' || timerDue || inboxWaiting) return { kind: 'run', timerDue };
    return drop('nothing waits in the inbox');
  }
  if (token.generation === head.generation) {
    // Either a duplicate, or the holder died and this is its own token come back too early.
    if (held) return { kind: 'return' };
    if (head.status === 'runnable' || timerDue) return { kind: 'run', timerDue };
    return ownToken(head, now);
  }
  // The holder of the lease has a token of its own, in flight or to be delivered again.
  return held ? drop('the guest has moved on') : ownToken(head, now);
}

/** The token that a head calls for: now, at its timer, or none. */
export function ownToken(head: Head, now: number): Decision {
  if (head.status === 'runnable') return { kind: 'forward', delayMs: 0 };
  if (head.status === 'idle' && head.wakeAt !== undefined) {
    return { kind: 'forward', delayMs: Math.max(0, head.wakeAt - now) };
  }
  return drop('the guest waits for an event');
}

function drop(why: string): Decision {
  return { kind: 'drop', why };
}
