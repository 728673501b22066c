// Counters: mcycle, minstret and the programmable ones, their filters, inhibition and overflow. Privileged ISA
// manual, "Hardware Performance Monitor", "mcountinhibit", "Sscofpmf", "Smcntrpmf".
//
// Nothing is added up: steps are counted anyway. A counter that runs holds how far it is from what it counts; one that
// stands holds its value. What decides whether it runs (inhibition, event, mode) is followed by `place`.
import * as at from '../layout';
import { Mode, cell, privilege, requestPoll, setCell, stepsNow } from './state';

export const COUNTERS: u32 = 32;
/** Selectors of mhpmevent. */
const EVENT_CYCLES: u64 = 1;
const EVENT_INSTRUCTIONS: u64 = 2;
const SELECTOR: u64 = 3;
const OF: u64 = u64(1) << 63;
const MINH: u64 = u64(1) << 62;
const SINH: u64 = u64(1) << 61;
const UINH: u64 = u64(1) << 60;
export const LCOFIP: u64 = 1 << 13;
/** The manual's programmable counters: 3 to 31. */
const PROGRAMMABLE: u64 = 0xfffffff8;

function valueCell(counter: u32): i32 {
  return at.MHPMCOUNTER + 8 * counter;
}
function configuration(counter: u32): u64 {
  return load<u64>(at.MHPMEVENT + 8 * counter);
}

function selector(counter: u32): u64 {
  if (counter == 0) return EVENT_CYCLES;
  if (counter == 2) return EVENT_INSTRUCTIONS;
  return configuration(counter) & SELECTOR;
}

/** What the counter counts, since power-on and up to the instruction that is calling. */
function events(counter: u32): u64 {
  return selector(counter) == EVENT_CYCLES ? stepsNow() : stepsNow() - cell(at.TRAPPED_STEPS);
}

function runs(counter: u32, mode: u32): bool {
  if (selector(counter) == 0 || ((cell(at.MCOUNTINHIBIT) >> counter) & 1) != 0) return false;
  const filter = mode == Mode.M ? MINH : mode == Mode.S ? SINH : UINH;
  return (configuration(counter) & filter) == 0;
}

/** How many more events make a running counter wrap, where it has not yet. */
function wrapPoint(counter: u32): u64 {
  return 0 - load<u64>(valueCell(counter));
}

/** Gives the counter a value, to run from or to stand at. */
function place(counter: u32, value: u64, running: bool): void {
  const bit = u64(1) << counter;
  let wrapped = cell(at.COUNTERS_WRAPPED) & ~bit;
  if (running) {
    const now = events(counter);
    store<u64>(valueCell(counter), value - now);
    // Its next wrap is then 2^64 events away.
    if (now >= wrapPoint(counter)) wrapped |= bit;
  } else {
    store<u64>(valueCell(counter), value);
  }
  setCell(at.COUNTERS_WRAPPED, wrapped);
}

function valueNow(counter: u32, running: bool): u64 {
  return load<u64>(valueCell(counter)) + (running ? events(counter) : 0);
}

/** As an instruction reads it: it has begun itself, but counts only when it is done. */
export function readCounter(counter: u32): u64 {
  const running = runs(counter, privilege());
  return valueNow(counter, running) - (running ? 1 : 0);
}

/** The written value is what the next instruction reads. */
export function writeCounter(counter: u32, value: u64): void {
  place(counter, value, runs(counter, privilege()));
  requestPoll();
}

/** mcountinhibit becomes `next`: counters stop where they are, or go on from there. */
export function inhibitCounters(next: u64): void {
  const mode = privilege();
  const changed = cell(at.MCOUNTINHIBIT) ^ next;
  for (let counter: u32 = 0; counter < COUNTERS; counter++) {
    if (((changed >> counter) & 1) == 0) continue;
    const value = valueNow(counter, runs(counter, mode));
    setCell(at.MCOUNTINHIBIT, cell(at.MCOUNTINHIBIT) ^ (u64(1) << counter));
    place(counter, value, runs(counter, mode));
  }
  requestPoll();
}

/** Those that may raise an interrupt: an overflow is noticed while OF is clear. */
function updateWatched(): void {
  let watched: u64 = 0;
  let filtered: u64 = 0;
  for (let counter: u32 = 0; counter < COUNTERS; counter++) {
    const c = configuration(counter);
    if ((c & (MINH | SINH | UINH)) != 0) filtered |= u64(1) << counter;
    if (selector(counter) != 0 && (c & OF) == 0) watched |= u64(1) << counter;
  }
  const overflows = (load<u32>(at.FEATURES) & at.FEATURE_SSCOFPMF) != 0;
  setCell(at.COUNTERS_WATCHED, overflows ? watched & PROGRAMMABLE : 0);
  setCell(at.COUNTERS_FILTERED, filtered);
}

/** mhpmevent, mcyclecfg or minstretcfg becomes `next`. An event that there is not counts nothing. */
export function configureCounter(counter: u32, next: u64): void {
  const mode = privilege();
  const value = valueNow(counter, runs(counter, mode));
  const known = (next & SELECTOR) <= EVENT_INSTRUCTIONS ? next : next & ~SELECTOR;
  store<u64>(at.MHPMEVENT + 8 * counter, known);
  place(counter, value, runs(counter, mode));
  updateWatched();
  requestPoll();
}

/** The mode changes: counters with a filter stop or go on. What led to the change counts in the mode that it leaves. */
export function switchCounters(from: u32, to: u32): void {
  if (cell(at.COUNTERS_FILTERED) == 0 || from == to) return;
  for (let counter: u32 = 0; counter < COUNTERS; counter++) {
    if (((cell(at.COUNTERS_FILTERED) >> counter) & 1) == 0) continue;
    const before = runs(counter, from);
    const after = runs(counter, to);
    if (before != after) place(counter, valueNow(counter, before), after);
  }
  if (cell(at.COUNTERS_WATCHED) != 0) requestPoll();
}

/** The OF bits by number of their counter. */
export function overflowed(): u64 {
  let bits: u64 = 0;
  for (let counter: u32 = 3; counter < COUNTERS; counter++) bits |= (configuration(counter) >> 63) << counter;
  return bits;
}

/**
 * Between two instructions: marks counters that have wrapped and raises their
 * interrupt. Returns the steps in which no other can wrap, or all ones: an event takes a step at least.
 */
export function checkOverflow(): u64 {
  let next = u64.MAX_VALUE;
  const mode = privilege();
  for (let left = cell(at.COUNTERS_WATCHED); left != 0; left &= left - 1) {
    const counter = u32(ctz<u64>(left));
    if (((cell(at.COUNTERS_WRAPPED) >> counter) & 1) != 0 || !runs(counter, mode)) continue;
    const now = events(counter);
    if (now < wrapPoint(counter)) {
      next = min(next, wrapPoint(counter) - now);
      continue;
    }
    const bit = u64(1) << counter;
    setCell(at.COUNTERS_WRAPPED, cell(at.COUNTERS_WRAPPED) | bit);
    setCell(at.COUNTERS_WATCHED, cell(at.COUNTERS_WATCHED) & ~bit);
    store<u64>(at.MHPMEVENT + 8 * counter, configuration(counter) | OF);
    setCell(at.MIP, cell(at.MIP) | LCOFIP);
  }
  return next;
}
