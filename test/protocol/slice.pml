/*
 * The protocol of a slice (DESIGN: lease, run, flush, commit, next token), for the model checker Spin.
 * README.md says which line stands for which line of lambdas/. Each atomic block holds one access to what is shared:
 * a request to the table or to the queue. Everything else may happen between any two of them.
 *
 * FAULTS bounds what goes wrong in one run: crashes, slices that fail and give their lease back, leases that end
 * while their holder lives (it was frozen, or another clock is ahead), deletions that the queue forgets, messages
 * sent twice because an answer got lost, messages delivered twice at once. A worker that has lost its lease goes on as
 * a zombie, at any pace, while its message comes to another.
 */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef GENERATIONS
#define GENERATIONS 2 /* slices for which the guest may stay busy */
#endif
#ifndef EVENTS
#define EVENTS 1
#endif
#ifndef FAULTS
#define FAULTS 1
#endif

#define MESSAGES   7
#define LAST       (GENERATIONS + EVENTS + 1)
#define FENCINGS   (LAST + FAULTS + 2)

/* What a message asks for: lambdas/queue/token.ts */
#define NOTHING  0
#define RUN      1
#define WAKE     2

/* The guest's status; TIMER is `idle` with `wakeAt` */
#define RUNNABLE 0
#define IDLE     1
#define TIMER    2
#define HALTED   3

#define NOBODY   255

typedef Message { byte kind; byte generation };

/* The queue. A message's place is its id. */
Message queue[MESSAGES];

/* The head item: lambdas/store/store.ts, `Head` */
byte generation, fencing, committedFencing, status, cursor, offset;
byte committedBy = NOBODY;
bool leased;
/* Of the checkpoint that the head names: how often the guest was given an event. */
byte effects;

bool timerDue;

/* The log of output: which fencing numbers wrote at a position, and which one's slice was committed there. */
short written[LAST + 1];
byte truth[LAST + 1];

/* The inbox: entries, and how many of them an event has. */
byte inbox;
byte copies[EVENTS + 1];

/* Workers: the message at hand (place + 1), and the fencing number of the lease (0: none). */
byte handles[WORKERS];
byte holds[WORKERS];

byte faults = FAULTS;

#define IS_WANTED(st) ((st) == RUNNABLE || ((st) == TIMER && timerDue))

/* ---- the reader of the log: lambdas/store/attempt-log.ts, `chain` ---- */

#ifdef BREAK_EARLY_OUTPUT
#define READABLE(p) (written[p] != 0) /* what is written is shown */
#else
#define READABLE(p) ((p) < offset)
#endif

/* Output is visible if and only if it was committed, and it is the committed attempt's. */
inline look() {
  d_step {
    position = 0;
    do
    :: position <= LAST ->
       if
       :: READABLE(position) ->
          assert(position < offset);
          seen = committedFencing;
          do
          :: seen > 0 && (written[position] & (1 << seen)) == 0 -> seen--
          :: else -> break
          od;
          assert(seen == truth[position])
       :: else
       fi;
       position++
    :: else -> break
    od;
    position = 0;
    seen = 0
  }
}

/* ---- the queue ---- */

inline isFree(place) {
  free = queue[place].kind == NOTHING && committedBy != place;
  i = 0;
  do
  :: i < WORKERS -> free = free && handles[i] != place + 1; i++
  :: else -> break
  od;
  i = 0
}

inline send(what, which) {
  p = 0;
  do
  :: isFree(p); if :: free -> break :: else -> p++; assert(p < MESSAGES) fi
  od;
  queue[p].kind = what;
  queue[p].generation = which;
  p = 0;
  free = false
}

/* Once, or twice when the answer to the first request got lost. A crash after it is the same as a lost deletion. */
inline deliver(what, which) {
  send(what, which);
  if
  :: true
  :: faults > 0 -> faults--; send(what, which)
  fi
}

inline remove() {
  if
  :: queue[slot].kind = NOTHING; queue[slot].generation = 0
  :: faults > 0 -> faults-- /* the queue forgets that it was deleted */
  fi
}

/* A worker has the message: it comes to another one only if it was delivered twice, or the worker has lost its lease. */
#define HAS(w, place) (handles[w] == (place) + 1 && (holds[w] == 0 || (leased && holds[w] == fencing)))
#if WORKERS > 2
#define AT_HAND(place) (HAS(0, place) || HAS(1, place) || HAS(2, place))
#else
#define AT_HAND(place) (HAS(0, place) || HAS(1, place))
#endif
#define CAN_COME(place) (queue[place].kind != NOTHING && (!AT_HAND(place) || faults > 0))

/* ---- a worker: lambdas/worker ---- */

#define MAY_CRASH if :: true :: faults > 0 -> faults--; goto crashed fi

#define FORGET \
  slot = 0; kind = NOTHING; asked = 0; g = 0; f = 0; s = 0; c = 0; o = 0; waiting = false; \
  state = 0; taken = 0; emits = 0; becomes = 0; handles[_pid] = 0; holds[_pid] = 0

active [WORKERS] proctype Worker() {
  byte slot, kind, asked;     /* the delivery */
  byte g, f, s, c, o;         /* the head as read: generation, fencing, status, cursor, offset */
  bool waiting;
  byte state, taken, emits, becomes; /* the guest in memory, and what its slice makes of the head */
  byte warm, warmState;       /* restore.ts, `WarmPlace`: the generation of the guest that is kept (0: none) */
  byte i, p, position, seen;
  bool free;

receive:
  /* a delivery, and slice.ts: findHead */
  atomic {
    if
    :: CAN_COME(0) -> slot = 0
    :: CAN_COME(1) -> slot = 1
    :: CAN_COME(2) -> slot = 2
    :: CAN_COME(3) -> slot = 3
    :: CAN_COME(4) -> slot = 4
    :: CAN_COME(5) -> slot = 5
    :: CAN_COME(6) -> slot = 6
    fi;
    if :: AT_HAND(slot) -> faults-- :: else fi;
    kind = queue[slot].kind;
    asked = queue[slot].generation;
    handles[_pid] = slot + 1;
#ifdef BREAK_DELETE_FIRST
    queue[slot].kind = NOTHING; queue[slot].generation = 0;
#endif
    g = generation; f = fencing; s = status; c = cursor;
    MAY_CRASH;

    /* decide.ts, in its order */
    if
    :: s == HALTED -> goto drop
    :: s != HALTED && leased && kind == WAKE -> goto later
    :: s != HALTED && leased && kind == RUN ->
       if
       :: asked == g -> goto back /* 'return' */
       :: asked != g -> goto drop
       fi
    :: s != HALTED && !leased && kind == WAKE ->
       if
       :: IS_WANTED(s) -> goto lease
       :: !IS_WANTED(s) -> goto look_into_inbox
       fi
    :: s != HALTED && !leased && kind == RUN ->
       if
       :: asked == g && IS_WANTED(s) -> goto lease
       :: asked == g && !IS_WANTED(s) -> goto own
       :: asked != g && committedBy == slot -> goto past
       :: asked != g && committedBy != slot -> goto drop
       fi
    fi
  }

later:
  /* decide.ts, 'later': the same token again, as a message of its own */
#ifdef BREAK_WAKE_DROPPED
  goto drop;
#else
  atomic { send(WAKE, 0); remove(); FORGET; goto receive }
#endif

look_into_inbox:
  /* slice.ts, `asksInbox`: for a wake token of an idle guest, after the head was read */
  atomic {
    waiting = inbox > c;
    if
    :: waiting -> goto lease
    :: !waiting && committedBy == slot && generation == g -> goto past
    :: else -> goto drop
    fi
  }

past:
  /* decide.ts, `answersForNext`: only the message whose slice committed this generation sends its token */
#ifdef BREAK_NO_FORWARD
  goto drop;
#endif
own:
  /* decide.ts, `ownToken`. A timer's token that comes too early is sent again, delayed. */
  atomic {
    if
    :: s == RUNNABLE || s == TIMER -> deliver(RUN, g)
    :: else
    fi;
    remove(); FORGET;
    goto receive
  }

lease:
  /* lease.ts, `acquire`; restore.ts: what is warm is taken away, and only a commit puts it back */
  atomic {
    if
    :: generation == g && fencing == f && status == s ->
       fencing++; f = fencing; leased = true; holds[_pid] = f; assert(f <= FENCINGS);
       c = cursor; o = offset;
       if
       :: warm != 0 && warm == g -> state = warmState
       :: else -> state = effects
       fi;
#ifndef BREAK_WARM
       warm = 0; warmState = 0;
#endif
       MAY_CRASH
    :: else -> goto back
    fi
  }

  /* run.ts: entries after the cursor go into the guest */
  atomic {
    taken = inbox;
    state = state + (taken - c);
    if :: emits = 0 :: emits = 1 fi;
    /* the guest decides how its slice ends */
    if
    :: g + 1 < GENERATIONS -> becomes = RUNNABLE
    :: g + 1 < GENERATIONS -> becomes = TIMER
    :: becomes = IDLE
    :: taken == EVENTS -> becomes = HALTED
    fi;
#ifdef BREAK_WARM
    warm = g; warmState = state;
#endif
#ifdef BREAK_ACKNOWLEDGE_FIRST
    cursor = taken;
    MAY_CRASH
#endif
  }

  /* slice.ts: flush, writeConsole, writeResults, under the generation to come and this fencing number */
  atomic {
    if
    :: emits == 1 -> written[o] = written[o] | (1 << f); look()
    :: else
    fi;
    if
    :: true
    :: faults > 0 -> faults--; goto crashed
    :: faults > 0 -> faults--; goto failed /* a request was not answered in time */
    fi
  }

  /* lease.ts, `commit`: the one update that decides */
  atomic {
    if
#ifdef BREAK_FENCING
    :: generation == g ->
#else
    :: generation == g && fencing == f && status == s ->
#endif
       if :: emits == 1 -> truth[o] = f :: else fi;
       generation = g + 1;
       fencing = f;
       committedFencing = f;
       committedBy = slot;
       status = becomes;
       timerDue = false;
       leased = false;
       offset = o + emits;
       cursor = taken;
       effects = state;
       warm = g + 1; warmState = state;
       holds[_pid] = 0;
       assert(generation <= LAST);
       /* every event's effect is in the guest's state exactly once */
       assert(effects == cursor);
       look();
       MAY_CRASH
    :: else -> goto back
    fi
  }

  /* slice.ts, `finish` */
  atomic {
    if
    :: becomes == RUNNABLE || becomes == TIMER -> deliver(RUN, g + 1)
    :: else
    fi;
    remove(); FORGET;
    goto receive
  }

failed:
  /* slice.ts: the lease is given back (lease.ts, `release`), the token is not deleted */
  atomic {
    if
    :: generation == g && fencing == f && status == s -> leased = false
    :: else
    fi;
    goto back
  }

drop:
  /* handler.ts: the queue may delete the message */
  atomic { remove(); FORGET; goto receive }

back:
  /* handler.ts, `batchItemFailures`: the message stays */
  atomic { FORGET; goto receive }

crashed:
  atomic { FORGET; warm = 0; warmState = 0; goto receive }
}

/* The first token: a deployment, or an event. */
init {
  atomic { queue[0].kind = RUN }
}

/* Time. A dead holder's lease ends; a timer gets due. */
active proctype Clock() {
  byte i;
  bool alive;
end:
  do
  :: atomic {
       leased ->
       alive = false; i = 0;
       do
       :: i < WORKERS -> alive = alive || (holds[i] == fencing); i++
       :: else -> break
       od;
       i = 0;
       if
#ifdef BREAK_LEASE_FOR_EVER
       :: !alive
#else
       :: !alive -> leased = false
#endif
       :: alive && faults > 0 -> faults--; leased = false
       :: alive
       fi;
       alive = false
     }
  :: atomic { status == TIMER && !timerDue -> timerDue = true }
  od
}

/* lambdas/ingress: each event goes into the inbox and then a wake token into the queue; its source tries until both are done. */
active proctype Ingress() {
  byte event, i, p;
  bool free;
  do
  :: event < EVENTS ->
again:
     atomic {
#ifdef BREAK_APPEND_TWICE
       inbox++; copies[event]++;
#else
       /* table-store.ts, `appendInbox`: an event that is there already, by its id, is not put there again */
       if
       :: copies[event] == 0 -> inbox++; copies[event]++
       :: else
       fi;
#endif
       assert(copies[event] == 1);
       if :: true :: faults > 0 -> faults--; goto again fi
     }
     atomic {
       deliver(WAKE, 0);
       if :: true :: faults > 0 -> faults--; goto again fi
     }
     event++
  :: else -> break
  od
}

/* The guest wants nothing more: it is off, or it waits for an event and has had all. */
#define SETTLED (status == HALTED || (status == IDLE && cursor == EVENTS && inbox == EVENTS))

/* When nothing moves any more, nothing is left undone: no token was lost, and no event waits for ever. */
active proctype Rest() {
  timeout -> assert(SETTLED)
}

/* Nor does anything go round in circles: a guest that can run always runs on. */
ltl goesOn { <>[] SETTLED }
