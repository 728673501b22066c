// The hart's cells as typed accessors. AssemblyScript.
import * as at from '../layout';

export const RAM_BASE: u64 = 0x80000000;

export const enum Mode {
  U = 0,
  S = 1,
  M = 3,
}

// mstatus fields. Privileged ISA manual, "Machine Status Registers".
export const SIE: u64 = 1 << 1;
export const MIE_BIT: u64 = 1 << 3;
export const SPIE: u64 = 1 << 5;
export const MPIE: u64 = 1 << 7;
export const SPP: u64 = 1 << 8;
export const MPP_SHIFT: u64 = 11;
export const MPP: u64 = 3 << 11;
export const VS: u64 = 3 << 9;
export const FS: u64 = 3 << 13;
export const MPRV: u64 = 1 << 17;
export const SUM: u64 = 1 << 18;
export const MXR: u64 = 1 << 19;
export const TVM: u64 = 1 << 20;
export const TW: u64 = 1 << 21;
export const TSR: u64 = 1 << 22;
export const UXL: u64 = u64(3) << 32;
export const SXL: u64 = u64(3) << 34;
export const SD: u64 = u64(1) << 63;

export function cell(address: i32): u64 {
  return load<u64>(address);
}
export function setCell(address: i32, value: u64): void {
  store<u64>(address, value);
}

export function privilege(): u32 {
  return load<u32>(at.PRIVILEGE);
}
export function status(): u64 {
  return load<u64>(at.MSTATUS);
}

/** Interrupts pending, whoever holds them. */
export function pending(): u64 {
  return load<u64>(at.MIP) | load<u64>(at.LINES);
}

/** Instructions begun, up to and including the one that is calling. */
export function stepsNow(): u64 {
  return load<u64>(at.STEPS) + (load<u32>(at.CHUNK) - load<u32>(at.COUNTDOWN));
}

/** The machine's clock goes on with the steps of all its harts. */
export function timeNow(): u64 {
  const steps = stepsNow() + load<u64>(at.STEPS_ELSEWHERE);
  return load<u64>(at.TIME_OFFSET) + steps / load<u64>(at.STEPS_PER_TICK);
}

export function count(counter: i32): void {
  store<u64>(counter, load<u64>(counter) + 1);
}

/**
 * Makes the interpreter poll before the next instruction: interrupts, timers
 * and the cached mode are looked at again. What was executed stays counted.
 */
export function requestPoll(): void {
  const left = load<u32>(at.COUNTDOWN);
  store<u64>(at.REMAINING, load<u64>(at.REMAINING) + left);
  store<u32>(at.CHUNK, load<u32>(at.CHUNK) - left);
  store<u32>(at.COUNTDOWN, 0);
}

/** Mode of loads and stores: mstatus.MPRV lends M-mode the previous one. "Memory Privilege in mstatus Register". */
export function dataPrivilege(): u32 {
  const s = status();
  const p = privilege();
  return p == Mode.M && (s & MPRV) != 0 ? u32((s & MPP) >> MPP_SHIFT) : p;
}

/** Points the interpreter at the TLBs of the present mode. */
export function selectTlbs(): void {
  const p = privilege();
  const data = dataPrivilege();
  const context = data == Mode.S && (status() & SUM) != 0 ? 2 : data;
  store<u32>(at.DATA_TLB, at.TLB + context * at.TLB_CONTEXT);
  store<u32>(at.FETCH_TLB, at.TLB + p * at.TLB_CONTEXT + at.TLB_FETCH);
}
