// Traps: entry, return, and which interrupt is taken. Privileged ISA manual, chapters 3 and 12.
import * as at from '../layout';
import { switchCounters } from './counters';
import {
  FS,
  MIE_BIT,
  MPIE,
  MPP,
  MPP_SHIFT,
  MPRV,
  Mode,
  SIE,
  SPIE,
  SPP,
  TSR,
  TW,
  cell,
  count,
  pending,
  privilege,
  requestPoll,
  selectTlbs,
  setCell,
  status,
} from './state';
import { trim } from './tlb';

const INTERRUPT: u64 = u64(1) << 63;

/** What every trap and return does: counters may stop or go on, and an lr of before pairs with no sc of after. */
function changeMode(mode: u32): void {
  switchCounters(privilege(), mode);
  setCell(at.PRIVILEGE, mode);
  setCell(at.RESERVATION, u64.MAX_VALUE);
}

/** Where the handler is: vectored mode adds four bytes a cause, for interrupts only. */
function handler(vector: u64, cause: u64): u64 {
  const base = vector & ~u64(3);
  return (vector & 1) != 0 && (cause & INTERRUPT) != 0 ? base + 4 * (cause & ~INTERRUPT) : base;
}

function enterSupervisor(cause: u64, value: u64): void {
  const s = status();
  const previous = privilege();
  setCell(at.SCAUSE, cause);
  setCell(at.SEPC, cell(at.PC));
  setCell(at.STVAL, value);
  let next = s & ~(SPIE | SPP | SIE);
  if ((s & SIE) != 0) next |= SPIE;
  if (previous != Mode.U) next |= SPP;
  setCell(at.MSTATUS, next);
  changeMode(Mode.S);
  setCell(at.PC, handler(cell(at.STVEC), cause));
}

/** The trap is the monitor's to handle: the run ends, the hart stays as it was before the instruction. */
function leaveToMonitor(cause: u64, value: u64): void {
  setCell(at.MCAUSE, cause);
  setCell(at.MTVAL, value);
  setCell(at.RESERVATION, u64.MAX_VALUE);
  store<u32>(at.EXIT, at.EXIT_TRAP);
  requestPoll();
}

function enterMachine(cause: u64, value: u64): void {
  if ((load<u32>(at.OPTIONS) & at.OPTION_MONITOR) != 0) {
    leaveToMonitor(cause, value);
    return;
  }
  const s = status();
  setCell(at.MCAUSE, cause);
  setCell(at.MEPC, cell(at.PC));
  setCell(at.MTVAL, value);
  let next = s & ~(MPIE | MPP | MIE_BIT);
  if ((s & MIE_BIT) != 0) next |= MPIE;
  next |= u64(privilege()) << MPP_SHIFT;
  setCell(at.MSTATUS, next);
  changeMode(Mode.M);
  setCell(at.PC, handler(cell(at.MTVEC), cause));
}

/** Takes an exception at PC. The instruction that caused it has been counted as a step and does not retire. */
export function raise(cause: u32, value: u64): void {
  count(at.TRAPPED_STEPS);
  count(at.COUNTER_EXCEPTIONS + 8 * cause);
  const delegated = ((cell(at.MEDELEG) >> cause) & 1) != 0;
  if (delegated && privilege() != Mode.M) enterSupervisor(cause, value);
  else enterMachine(cause, value);
  store<u32>(at.TRAPPED, 1);
  selectTlbs();
}

export function environment_call(): void {
  raise(8 + privilege(), 0);
}

export function illegal(word: u32): void {
  raise(2, word);
}

/** In decreasing priority: MEI, MSI, MTI, SEI, SSI, STI, LCOFI. */
const ORDER: u64 = 0x0d_05_01_09_07_03_0b;

function highest(mask: u64): u64 {
  for (let order = ORDER; order != 0; order >>= 8) {
    const cause = order & 0xff;
    if (((mask >> cause) & 1) != 0) return cause;
  }
  return 0;
}

/** Interrupts that are pending and enabled, and go to M-mode now. */
function forMachine(): u64 {
  if (privilege() == Mode.M && (status() & MIE_BIT) == 0) return 0;
  return pending() & cell(at.MIE) & ~cell(at.MIDELEG);
}

/** The same for S-mode. */
function forSupervisor(): u64 {
  const p = privilege();
  if (p == Mode.M || (p == Mode.S && (status() & SIE) == 0)) return 0;
  return pending() & cell(at.MIE) & cell(at.MIDELEG);
}

/** Takes the pending interrupt of highest priority, if one is enabled for this mode. */
export function takeInterrupt(): bool {
  if ((pending() & cell(at.MIE)) == 0) return false;
  const machine = forMachine();
  if (machine != 0) {
    const cause = highest(machine);
    count(at.COUNTER_INTERRUPTS + 8 * i32(cause));
    enterMachine(INTERRUPT | cause, 0);
    return true;
  }
  const supervisor = forSupervisor();
  if (supervisor != 0) {
    const cause = highest(supervisor);
    count(at.COUNTER_INTERRUPTS + 8 * i32(cause));
    enterSupervisor(INTERRUPT | cause, 0);
    return true;
  }
  return false;
}

/** After a change of mode, status or interrupts: a poll takes an interrupt, if there is one to take now. */
export function pollForInterrupt(): void {
  if ((pending() & cell(at.MIE)) != 0 && (forMachine() | forSupervisor()) != 0) requestPoll();
}

export function mret(word: u32): void {
  if (privilege() != Mode.M) return illegal(word);
  const s = status();
  const previous = (s & MPP) >> MPP_SHIFT;
  let next = s & ~(MIE_BIT | MPIE | MPP);
  if ((s & MPIE) != 0) next |= MIE_BIT;
  next |= MPIE;
  if (previous != Mode.M) next &= ~MPRV;
  setCell(at.MSTATUS, next);
  changeMode(u32(previous));
  setCell(at.PC, cell(at.MEPC));
  selectTlbs();
  pollForInterrupt();
}

export function sret(word: u32): void {
  const s = status();
  const p = privilege();
  if (p == Mode.U || (p == Mode.S && (s & TSR) != 0)) return illegal(word);
  let next = s & ~(SIE | SPIE | SPP | MPRV);
  if ((s & SPIE) != 0) next |= SIE;
  next |= SPIE;
  setCell(at.MSTATUS, next);
  changeMode((s & SPP) != 0 ? Mode.S : Mode.U);
  setCell(at.PC, cell(at.SEPC));
  selectTlbs();
  pollForInterrupt();
}

/** Waits for an interrupt, unless one is pending already. "Wait for Interrupt". */
export function wfi(word: u32): void {
  const p = privilege();
  if (p == Mode.U || (p == Mode.S && (status() & TW) != 0)) return illegal(word);
  count(at.COUNTER_WFI);
  trim();
  setCell(at.WAITING, at.WAITING_INTERRUPT);
  requestPoll();
}

/** A hart that only waits for another one leaves it the rest of its turn. Unprivileged ISA manual, "Zihintpause". */
export function pause(): void {
  if ((load<u32>(at.OPTIONS) & at.OPTION_HARTS) == 0) return;
  store<u32>(at.EXIT, at.EXIT_YIELD);
  requestPoll();
}

/** Whether there is a reservation to lose, and no interrupt that would end the wait for it. */
function waitsOnReservation(): bool {
  return cell(at.RESERVATION) != u64.MAX_VALUE && (pending() & cell(at.MIE)) == 0;
}

/**
 * Waiting for a reservation to be lost may end at any time: here it does at once, or with the turn, which no
 * reservation outlives. Only where mstatus.TW gives lower modes no time at all is one that still stands an exception.
 * Unprivileged ISA manual, "Zawrs".
 */
export function wait_on_reservation(word: u32): void {
  if (!waitsOnReservation()) return;
  if (privilege() != Mode.M && (status() & TW) != 0) illegal(word);
  else pause();
}
export function wait_shortly_on_reservation(_word: u32): void {
  if (waitsOnReservation()) pause();
}

/** mstatus.FS off makes floating point illegal; using it makes the state dirty. Returns true when allowed. */
export function float_enabled(word: u32): bool {
  const s = status();
  if ((s & FS) == 0) {
    illegal(word);
    return false;
  }
  setCell(at.MSTATUS, s | FS);
  return true;
}
