/** The protocol, model-checked: slice.pml holds in every reachable state, and each way to break it is found. */
import { describeWith, program } from '../requirement';
import { check, type Macros, type Search } from './checker';

const full = process.env['TEST_FULL'] === '1';

const needs = [program('spin', 'spin'), program('gcc', 'gcc libc6-dev')];

const QUICK: readonly Search[] = [
  { kind: 'states', macros: { FAULTS: 1, GENERATIONS: 1, EVENTS: 1 } },
  { kind: 'states', macros: { FAULTS: 2, GENERATIONS: 2, EVENTS: 0 } },
  { kind: 'cycles', macros: { FAULTS: 1, GENERATIONS: 1, EVENTS: 1 } },
  { kind: 'cycles', macros: { FAULTS: 1, GENERATIONS: 2, EVENTS: 0 } },
];

const FULL: readonly Search[] = [
  { kind: 'states', macros: { FAULTS: 1, GENERATIONS: 2, EVENTS: 1 } },
  { kind: 'cycles', macros: { FAULTS: 1, GENERATIONS: 2, EVENTS: 1 } },
  { kind: 'states', macros: { FAULTS: 3, GENERATIONS: 2, EVENTS: 0 }, approximate: true },
  { kind: 'states', macros: { FAULTS: 2, GENERATIONS: 1, EVENTS: 1 }, approximate: true },
  { kind: 'states', macros: { FAULTS: 1, GENERATIONS: 1, EVENTS: 1, WORKERS: 3 }, approximate: true },
];

interface Break {
  readonly macro: string;
  /** What the protocol loses with it. */
  readonly loses: RegExp;
  readonly kind?: Search['kind'];
  readonly macros?: Macros;
  /** It takes the checker longer than a quick test may. */
  readonly slow?: true;
}

const SEEN = /seen==truth/;
const HIDDEN = /position<offset/;
const ONCE = /effects==cursor|copies\[event\]==1/;
const RUNS_ON = /status==3/;

const BREAKS: readonly Break[] = [
  { macro: 'BREAK_FENCING', loses: SEEN },
  { macro: 'BREAK_EARLY_OUTPUT', loses: HIDDEN },
  { macro: 'BREAK_ACKNOWLEDGE_FIRST', loses: ONCE },
  { macro: 'BREAK_WARM', loses: ONCE, slow: true },
  { macro: 'BREAK_APPEND_TWICE', loses: ONCE, macros: { GENERATIONS: 1 } },
  { macro: 'BREAK_NO_FORWARD', loses: RUNS_ON, macros: { EVENTS: 0 } },
  { macro: 'BREAK_DELETE_FIRST', loses: RUNS_ON, macros: { EVENTS: 0 } },
  { macro: 'BREAK_WAKE_DROPPED', loses: RUNS_ON, macros: { FAULTS: 0 } },
  { macro: 'BREAK_LEASE_FOR_EVER', loses: /acceptance cycle/, kind: 'cycles', macros: { EVENTS: 0 } },
];

describeWith(needs, 'the protocol of a slice, in every order of events', () => {
  test.each(full ? [...QUICK, ...FULL] : QUICK)(
    '$kind of $macros',
    (search) => {
      const { fault, states } = check(search);
      expect(fault).toBeUndefined();
      expect(states).toBeGreaterThan(10_000);
    },
    3_600_000,
  );

  test.each(BREAKS.filter(({ slow }) => full || slow !== true))(
    '$macro is found',
    ({ macro, loses, kind = 'states', macros }) => {
      const { fault } = check({ kind, macros: { FAULTS: 1, ...macros, [macro]: true } });
      expect(fault).toMatch(loses);
    },
    3_600_000,
  );
});
