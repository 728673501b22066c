// Debug triggers: address matches that raise a breakpoint exception. RISC-V Debug Specification, "Sdtrig", mcontrol6.
// While one is on, the pages that it watches stay out of the TLBs, so that every access to them comes here; while none
// is, nothing is looked at.
import * as at from '../layout';
import { Access } from './pmp';
import { MIE_BIT, Mode, SIE, cell, privilege, requestPoll, setCell, status } from './state';
import { raise } from './trap';

const TRIGGERS: u32 = 2;
const BREAKPOINT: u32 = 3;

const TYPE_SHIFT: u64 = 60;
const MCONTROL6: u64 = 6;
const DISABLED: u64 = u64(15) << 60;
/** match, m, s, u, execute, store, load. The rest reads as zero: no chains, data matches or debug mode. */
const FIELDS: u64 = 0x7df;
const LOAD: u64 = 1;
const STORE: u64 = 2;
const EXECUTE: u64 = 4;
const MATCH_SHIFT: u64 = 7;

const enum Match {
  Equal = 0,
  PowerOfTwo = 1,
  AtLeast = 2,
  Below = 3,
}

function control(trigger: u32): u64 {
  return load<u64>(at.TDATA1 + 8 * trigger);
}
function address(trigger: u32): u64 {
  return load<u64>(at.TDATA2 + 8 * trigger);
}

/** Addresses that a trigger matches; set by `range`. */
let first: u64 = 0;
let last: u64 = 0;

function range(trigger: u32): void {
  const value = address(trigger);
  first = value;
  last = value;
  switch (u32(control(trigger) >> MATCH_SHIFT) & 15) {
    case Match.PowerOfTwo: {
      const mask = value ^ (value + 1); // the ones at the end, and the zero above them
      first = value & ~mask;
      last = value | mask;
      return;
    }
    case Match.AtLeast:
      last = u64.MAX_VALUE;
      return;
    case Match.Below:
      first = value == 0 ? 1 : 0; // below zero there is nothing
      last = value == 0 ? 0 : value - 1;
      return;
    default:
      return;
  }
}

/** No breakpoint where its handler could not return to: the specification's first way, "Native Triggers". */
function mayFire(trigger: u32): bool {
  const c = control(trigger);
  const p = privilege();
  if (p == Mode.M) return (c & 0x40) != 0 && (status() & MIE_BIT) != 0;
  if (p == Mode.U) return (c & 8) != 0;
  const handledHere = ((cell(at.MEDELEG) >> BREAKPOINT) & 1) != 0;
  return (c & 0x10) != 0 && (!handledHere || (status() & SIE) != 0);
}

function kinds(access: u32): u64 {
  return access == Access.Execute ? EXECUTE : access == Access.Write ? STORE : LOAD;
}

/** Raises a breakpoint where a trigger matches; true when it did. */
export function trigger(virtual: u64, length: u64, access: u32): bool {
  for (let t: u32 = 0; t < TRIGGERS; t++) {
    if ((control(t) & kinds(access)) == 0 || control(t) >> TYPE_SHIFT != MCONTROL6 || !mayFire(t)) continue;
    range(t);
    if (virtual > last || virtual + (length - 1) < first) continue;
    raise(BREAKPOINT, virtual);
    return true;
  }
  return false;
}

/** Whether accesses to the page have to be looked at one by one. */
export function watched(page: u64, access: u32): bool {
  if (cell(at.TRIGGERS_ARMED) == 0) return false;
  // A read-modify-write uses the entry for stores, and is a load too.
  const kind = access == Access.Write ? STORE | LOAD : kinds(access);
  for (let t: u32 = 0; t < TRIGGERS; t++) {
    if ((control(t) & kind) == 0) continue;
    range(t);
    if (page <= last && page + 4095 >= first) return true;
  }
  return false;
}

export function selectTrigger(value: u64): void {
  if (value < u64(TRIGGERS)) setCell(at.TSELECT, value);
}

/** The cell of tdata1 or tdata2 of the selected trigger. */
function triggerCell(base: u32): u32 {
  return base + 8 * u32(cell(at.TSELECT));
}

export function readTrigger(base: u32): u64 {
  const value = load<u64>(triggerCell(base));
  return base == at.TDATA1 && value == 0 ? DISABLED : value;
}

/** What tdata1 makes of a value. WARL: another type is a trigger that is off, which a cell of zero stands for. */
function legal(value: u64): u64 {
  if (value >> TYPE_SHIFT != MCONTROL6) return 0;
  const match = u32(value >> MATCH_SHIFT) & 15;
  let v = (MCONTROL6 << TYPE_SHIFT) | (value & FIELDS);
  if (match > u32(Match.Below)) v &= ~(u64(15) << MATCH_SHIFT);
  return v;
}

export function writeTrigger(base: u32, value: u64): void {
  store<u64>(triggerCell(base), base == at.TDATA1 ? legal(value) : value);
  let armed: u64 = 0;
  for (let t: u32 = 0; t < TRIGGERS; t++)
    if ((control(t) & (LOAD | STORE | EXECUTE)) != 0) armed |= u64(1) << t;
  setCell(at.TRIGGERS_ARMED, armed);
  requestPoll();
}
