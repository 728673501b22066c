// Access to control and status registers. The rows are data (cpu/csr.ts); this
// file is what a row's kind adds to its masks. Privileged ISA manual, chapter 2 and on.
import * as at from '../layout';
import * as kind from '../csr-kinds';
import { CsrOperation_read, CsrOperation_write, CsrOperation_set } from './csr-operations';
import { configureCounter, inhibitCounters, overflowed, readCounter, writeCounter } from './counters';
import { flushTranslations } from './mmu';
import { writeAddress, writeConfigurations, writeSecurity } from './pmp';
import { setFlags } from './softfloat/status';
import {
  FS,
  MPP,
  MPP_SHIFT,
  MXR,
  Mode,
  SD,
  TVM,
  VS,
  cell,
  pending,
  privilege,
  requestPoll,
  selectTlbs,
  setCell,
  status,
  timeNow,
} from './state';
import { emptySmall, selectSpace, tlb_reset } from './tlb';
import { illegal, pollForInterrupt } from './trap';
import { readTrigger, selectTrigger, writeTrigger } from './triggers';

const STCE: u64 = u64(1) << 63;
const STIP: u64 = 1 << 5;
/** menvcfg and senvcfg: what cbo.inval does; 2 is reserved. "Zicbom". */
const CBIE: u64 = 3 << 4;
const CBIE_RESERVED: u64 = 2 << 4;
/** mstateen0 */
const STATE_ENVIRONMENT: u64 = u64(1) << 62;
const STATE_SUPERVISOR: u64 = u64(1) << 63;

function row(number: u32): u32 {
  return at.CSR_ROWS + u32(load<u8>(at.CSR_INDEX + number)) * at.CSR_ROW_SIZE;
}
function isSupervisor(number: u32): bool {
  return ((number >> 8) & 3) == 1;
}
function timerComparesToStimecmp(): bool {
  return (cell(at.MENVCFG) & STCE) != 0;
}

/** Whether lower modes may see counter `index` (0 cycle, 1 time, 2 instret, ...). */
function counterEnabled(index: u32): bool {
  const p = privilege();
  if (p != Mode.M && ((cell(at.MCOUNTEREN) >> index) & 1) == 0) return false;
  return p != Mode.U || ((cell(at.SCOUNTEREN) >> index) & 1) != 0;
}

/** Whether M-mode grants the others a piece of state. "Smstateen". */
function stateEnabled(register: u32, bit: u64): bool {
  if (privilege() == Mode.M || (load<u32>(at.FEATURES) & at.FEATURE_SMSTATEEN) == 0) return true;
  return (load<u64>(at.MSTATEEN + 8 * register) & bit) != 0;
}

/** Whether the present mode and state allow the access at all. */
function accessible(number: u32, k: u32, writes: bool): bool {
  if (k == kind.ABSENT) return false;
  if (privilege() < ((number >> 8) & 3)) return false;
  if (writes && number >> 10 == 3) return false;
  switch (k) {
    case kind.FLOAT_FLAGS:
    case kind.FLOAT_ROUNDING:
    case kind.FLOAT_STATUS:
      return (status() & FS) != 0;
    case kind.VECTOR:
    case kind.VECTOR_STATUS:
      return (status() & VS) != 0;
    case kind.TIME:
    case kind.COUNTER:
      return number >> 8 != 0xc || counterEnabled(number & 31);
    case kind.ADDRESS_TRANSLATION:
      return privilege() == Mode.M || (status() & TVM) == 0;
    case kind.TIMER_COMPARE:
      return privilege() == Mode.M || (timerComparesToStimecmp() && ((cell(at.MCOUNTEREN) >> 1) & 1) != 0);
    case kind.ENVIRONMENT:
      return !isSupervisor(number) || stateEnabled(0, STATE_ENVIRONMENT);
    case kind.STATE_ENABLE:
      return !isSupervisor(number) || stateEnabled(number & 3, STATE_SUPERVISOR);
    default:
      return true;
  }
}

function read(r: u32, number: u32, k: u32): u64 {
  switch (k) {
    case kind.STATUS: {
      const s = status();
      return (
        (s & load<u64>(r + kind.ROW_READ)) |
        load<u64>(r + kind.ROW_CONSTANT) |
        ((s & FS) == FS || (s & VS) == VS ? SD : 0)
      );
    }
    case kind.INTERRUPT_ENABLE:
      return isSupervisor(number) ? cell(at.MIE) & cell(at.MIDELEG) : cell(at.MIE);
    case kind.INTERRUPT_PENDING:
      return isSupervisor(number) ? pending() & cell(at.MIDELEG) : pending();
    case kind.TIME:
      return timeNow();
    case kind.COUNTER:
      return readCounter(number & 31);
    case kind.COUNTER_OVERFLOW:
      return privilege() == Mode.M ? overflowed() : overflowed() & cell(at.MCOUNTEREN);
    case kind.FLOAT_STATUS:
      return cell(at.FFLAGS) | (cell(at.FRM) << 5);
    case kind.VECTOR_STATUS:
      return cell(at.VXSAT) | (cell(at.VXRM) << 1);
    case kind.PMP_CONFIGURATION:
      return load<u64>(at.PMPCFG + ((number & 2) << 2));
    case kind.PMP_ADDRESS:
      return load<u64>(at.PMPADDR + ((number & 15) << 3));
    case kind.TRIGGER_DATA:
      return readTrigger(load<u32>(r + kind.ROW_CELL));
    default:
      return (
        (cell(load<u32>(r + kind.ROW_CELL)) & load<u64>(r + kind.ROW_READ)) | load<u64>(r + kind.ROW_CONSTANT)
      );
  }
}

function writePlain(r: u32, value: u64): void {
  const mask = load<u64>(r + kind.ROW_WRITE);
  const address = load<u32>(r + kind.ROW_CELL);
  setCell(address, (cell(address) & ~mask) | (value & mask));
}

function writeStatus(r: u32, value: u64): void {
  const old = status();
  let v = value;
  if ((v & MPP) >> MPP_SHIFT == 2) v = (v & ~MPP) | (old & MPP); // WARL: no such mode
  writePlain(r, v);
  if (((old ^ status()) & MXR) != 0) emptySmall();
  selectTlbs();
  pollForInterrupt();
}

/** What TLBs hold may not hold any more, whatever the mode. */
function everythingMoved(): void {
  tlb_reset();
  requestPoll();
}

function writeEnvironment(r: u32, number: u32, value: u64): void {
  const address = load<u32>(r + kind.ROW_CELL);
  const old = cell(address);
  const v = (value & CBIE) == CBIE_RESERVED ? (value & ~CBIE) | (old & CBIE) : value;
  writePlain(r, v);
  if (isSupervisor(number) || old == cell(address)) return;
  // From now on only stimecmp speaks for the timer; PBMTE and ADUE decide what entries mean.
  if (timerComparesToStimecmp()) setCell(at.MIP, cell(at.MIP) & ~STIP);
  flushTranslations();
  requestPoll();
}

/** satp's modes: bare, and 8 to 10 for three to five levels. */
function schemeExists(mode: u64): bool {
  const features = load<u32>(at.FEATURES);
  if (mode == 10) return (features & at.FEATURE_SV57) != 0;
  if (mode == 9) return (features & (at.FEATURE_SV48 | at.FEATURE_SV57)) != 0;
  return mode == 0 || mode == 8;
}

function writeFloatFlags(value: u64): void {
  setCell(at.FFLAGS, value & 31);
  setFlags(u32(value & 31));
}

function floatDirty(): void {
  setCell(at.MSTATUS, status() | FS);
}

function vectorDirty(): void {
  setCell(at.MSTATUS, status() | VS);
}

function write(r: u32, number: u32, k: u32, value: u64): void {
  switch (k) {
    case kind.STATUS:
      return writeStatus(r, value);
    case kind.INTERRUPT_ENABLE: {
      const mask = isSupervisor(number) ? cell(at.MIDELEG) : load<u64>(r + kind.ROW_WRITE);
      setCell(at.MIE, (cell(at.MIE) & ~mask) | (value & mask));
      return pollForInterrupt();
    }
    case kind.ADDRESS_TRANSLATION: {
      // WARL: an unknown scheme changes nothing. All 16 bits of the ASID are there.
      if (!schemeExists(value >> 60) || value == cell(at.SATP)) return;
      setCell(at.SATP, value);
      selectSpace();
      return requestPoll();
    }
    case kind.TRAP_VECTOR:
      if ((value & 2) == 0) writePlain(r, value); // WARL: direct or vectored
      return;
    case kind.DELEGATION:
    case kind.TIMER_COMPARE:
      writePlain(r, value);
      return requestPoll();
    case kind.ENVIRONMENT:
      return writeEnvironment(r, number, value);
    case kind.COUNTER:
      return writeCounter(number & 31, value);
    case kind.COUNTER_INHIBIT:
      return inhibitCounters(value & load<u64>(r + kind.ROW_WRITE));
    case kind.COUNTER_EVENT:
      return configureCounter((number & 31) == 1 ? 0 : number & 31, value & load<u64>(r + kind.ROW_WRITE));
    case kind.FLOAT_FLAGS:
      writeFloatFlags(value);
      return floatDirty();
    case kind.FLOAT_ROUNDING:
      setCell(at.FRM, value & 7);
      return floatDirty();
    case kind.FLOAT_STATUS:
      writeFloatFlags(value);
      setCell(at.FRM, (value >> 5) & 7);
      return floatDirty();
    case kind.VECTOR:
      writePlain(r, value);
      return vectorDirty();
    case kind.VECTOR_STATUS:
      setCell(at.VXSAT, value & 1);
      setCell(at.VXRM, (value >> 1) & 3);
      return vectorDirty();
    case kind.PMP_CONFIGURATION:
      writeConfigurations((number & 2) << 2, value);
      return everythingMoved();
    case kind.PMP_ADDRESS:
      writeAddress(number & 15, value);
      return everythingMoved();
    case kind.SECURITY:
      writeSecurity(value);
      return everythingMoved();
    case kind.TRIGGER_SELECT:
      return selectTrigger(value);
    case kind.TRIGGER_DATA:
      writeTrigger(load<u32>(r + kind.ROW_CELL), value);
      return everythingMoved();
    default:
      return writePlain(r, value);
  }
}

/** mip is read with the lines in it, but set and clear work on the bits that software holds. "mip and mie". */
function updatePending(number: u32, operation: u32, operand: u64): void {
  let mask = load<u64>(row(number) + kind.ROW_WRITE);
  if (isSupervisor(number)) mask &= cell(at.MIDELEG);
  if (timerComparesToStimecmp()) mask &= ~STIP;
  const held = cell(at.MIP);
  const value =
    operation == CsrOperation_write
      ? operand
      : operation == CsrOperation_set
        ? held | operand
        : held & ~operand;
  setCell(at.MIP, (held & ~mask) | (value & mask));
  pollForInterrupt();
}

/**
 * Reads a CSR and, as `operation` says, writes it. Returns the old value.
 * Raises illegal-instruction where the register is absent or out of reach.
 */
export function csr(number: u32, operation: u32, operand: u64, word: u32): u64 {
  const r = row(number);
  const k: u32 = load<u8>(r + kind.ROW_KIND);
  const writes = operation != CsrOperation_read;
  if (!accessible(number, k, writes)) {
    illegal(word);
    return 0;
  }
  const old = read(r, number, k);
  if (!writes) return old;
  if (k == kind.INTERRUPT_PENDING) {
    updatePending(number, operation, operand);
    return old;
  }
  const value =
    operation == CsrOperation_write
      ? operand
      : operation == CsrOperation_set
        ? old | operand
        : old & ~operand;
  write(r, number, k, value);
  return old;
}

/** The register's value for an observer outside the hart; zero where there is none. */
export function csr_peek(number: u32): u64 {
  const r = row(number);
  const k: u32 = load<u8>(r + kind.ROW_KIND);
  return k == kind.ABSENT ? 0 : read(r, number, k);
}
