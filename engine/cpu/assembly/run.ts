// What happens between bursts of instructions: time, interrupts, the end of a run.
import * as at from '../layout';
import { checkOverflow } from './counters';
import { cell, pending, selectTlbs, setCell } from './state';
import { takeInterrupt } from './trap';

const MTIP: u64 = 1 << 7;
const STIP: u64 = 1 << 5;
const STCE: u64 = u64(1) << 63;
/** Bursts end now and then in any case, so that the countdown fits 32 bits. */
const LONGEST: u64 = 1 << 30;

/** Steps until mtime reaches `compare`; 0 when it has. */
function stepsUntil(compare: u64): u64 {
  const steps = cell(at.STEPS) + cell(at.STEPS_ELSEWHERE);
  const now = cell(at.TIME_OFFSET) + steps / cell(at.STEPS_PER_TICK);
  if (now >= compare) return 0;
  const ticks = compare - cell(at.TIME_OFFSET);
  if (ticks > u64.MAX_VALUE / cell(at.STEPS_PER_TICK)) return u64.MAX_VALUE;
  return ticks * cell(at.STEPS_PER_TICK) - steps;
}

/** Raises or lowers one timer line; returns the steps until it will rise, or all ones. */
function updateTimer(line: u64, compare: u64, enabled: bool): u64 {
  const steps = enabled ? stepsUntil(compare) : u64.MAX_VALUE;
  const lines = cell(at.LINES);
  setCell(at.LINES, steps == 0 ? lines | line : lines & ~line);
  return steps == 0 ? u64.MAX_VALUE : steps;
}

/** Brings the timer lines up to date. Returns the steps until the next one rises, or all ones. */
export function update_timers(): u64 {
  const machine = updateTimer(MTIP, cell(at.MTIMECMP), true);
  const supervisor = updateTimer(STIP, cell(at.STIMECMP), (cell(at.MENVCFG) & STCE) != 0);
  return min(machine, supervisor);
}

/**
 * Between two instructions: accounts for the burst, takes an interrupt, and
 * begins the next burst. Returns EXIT_NONE, or why the run ends.
 */
export function poll(): u32 {
  setCell(at.STEPS, cell(at.STEPS) + (load<u32>(at.CHUNK) - load<u32>(at.COUNTDOWN)));
  setCell(at.REMAINING, cell(at.REMAINING) + load<u32>(at.COUNTDOWN));
  store<u32>(at.CHUNK, 0);
  store<u32>(at.COUNTDOWN, 0);
  const next = update_timers();
  if (cell(at.COUNTERS_WATCHED) != 0) checkOverflow();
  const wanted = load<u32>(at.EXIT);
  if (wanted != at.EXIT_NONE) {
    store<u32>(at.EXIT, at.EXIT_NONE);
    return wanted;
  }
  if (cell(at.WAITING) != 0) {
    if ((pending() & cell(at.MIE)) == 0) return at.EXIT_IDLE;
    setCell(at.WAITING, 0);
  }
  if (cell(at.REMAINING) == 0) return at.EXIT_BUDGET;
  takeInterrupt();
  selectTlbs();
  // In the mode that is now, other counters may run than in that of before.
  const overflow = cell(at.COUNTERS_WATCHED) != 0 ? checkOverflow() : u64.MAX_VALUE;
  const burst = min(min(min(next, overflow), cell(at.REMAINING)), LONGEST);
  setCell(at.REMAINING, cell(at.REMAINING) - burst);
  store<u32>(at.CHUNK, u32(burst));
  store<u32>(at.COUNTDOWN, u32(burst));
  return at.EXIT_NONE;
}
