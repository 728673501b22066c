// Access to control and status registers. The rows are data (cpu/csr.ts); this
// file is what a row's kind adds to its masks. Privileged ISA manual, chapter 2 and on.
import * as at from '../layout';
import * as kind from '../csr-kinds';
import { CsrOperation_read, CsrOperation_write, CsrOperation_set } from './csr-operations';
import { flushTranslations, tlb_flush } from './mmu';
import { pmp_update } from './pmp';
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
  setCell,
  status,
  stepsNow,
  timeNow,
} from './state';
import { illegal } from './trap';

const STCE: u64 = u64(1) << 63;
const STIP: u64 = 1 << 5;
const S_INTERRUPTS: u64 = 0x222;
/** mip bits that M-mode may write: SSIP, STIP, SEIP. */
const M_WRITABLE: u64 = 0x222;

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
    case kind.CYCLE:
    case kind.INSTRET:
    case kind.HARDWARE_COUNTER:
      return number >> 8 != 0xc || counterEnabled(number & 31);
    case kind.ADDRESS_TRANSLATION:
      return privilege() == Mode.M || (status() & TVM) == 0;
    case kind.TIMER_COMPARE:
      return privilege() == Mode.M || (timerComparesToStimecmp() && ((cell(at.MCOUNTEREN) >> 1) & 1) != 0);
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
    case kind.CYCLE:
      // The reading instruction itself has begun but not retired.
      return stepsNow() - 1 + cell(at.MCYCLE_OFFSET);
    case kind.INSTRET:
      return stepsNow() - 1 - cell(at.TRAPPED_STEPS) + cell(at.MINSTRET_OFFSET);
    case kind.HARDWARE_COUNTER:
      return 0;
    case kind.FLOAT_STATUS:
      return cell(at.FFLAGS) | (cell(at.FRM) << 5);
    case kind.VECTOR_STATUS:
      return cell(at.VXSAT) | (cell(at.VXRM) << 1);
    case kind.PMP_CONFIGURATION:
      return load<u64>(at.PMPCFG + ((number & 2) << 2));
    case kind.PMP_ADDRESS:
      return load<u64>(at.PMPADDR + ((number & 15) << 3));
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
  if (((old ^ status()) & MXR) != 0) flushTranslations();
  requestPoll();
}

function writePmpConfiguration(number: u32, value: u64): void {
  const base = at.PMPCFG + ((number & 2) << 2);
  for (let i = 0; i < 8; i++) {
    const old = load<u8>(base + i);
    if ((old & 0x80) != 0) continue; // locked until reset
    let c = u8(value >> (8 * i)) & 0x9f;
    if ((c & 3) == 2) c = (c & 0x9d) | (old & 2); // W without R is reserved
    store<u8>(base + i, c);
  }
  pmp_update();
  tlb_flush();
}

function writePmpAddress(number: u32, value: u64): void {
  const entry = number & 15;
  if ((load<u8>(at.PMPCFG + entry) & 0x80) != 0) return;
  // A locked top-of-range entry locks the address below it as well.
  if (entry < 15 && (load<u8>(at.PMPCFG + entry + 1) & 0x98) == 0x88) return;
  store<u64>(at.PMPADDR + (entry << 3), value & 0x003fffffffffffff);
  pmp_update();
  tlb_flush();
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
      return requestPoll();
    }
    case kind.ADDRESS_TRANSLATION: {
      const mode = value >> 60;
      if (mode != 0 && (mode < 8 || mode > 10)) return; // WARL: an unknown scheme changes nothing
      setCell(at.SATP, (mode << 60) | (value & 0xfffffffffff));
      flushTranslations();
      return requestPoll();
    }
    case kind.TRAP_VECTOR:
      if ((value & 2) == 0) writePlain(r, value); // WARL: direct or vectored
      return;
    case kind.DELEGATION:
    case kind.TIMER_COMPARE:
      writePlain(r, value);
      return requestPoll();
    case kind.CYCLE:
      // The written value is what the next instruction reads.
      return setCell(at.MCYCLE_OFFSET, value - stepsNow());
    case kind.INSTRET:
      return setCell(at.MINSTRET_OFFSET, value - (stepsNow() - cell(at.TRAPPED_STEPS)));
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
      writePmpConfiguration(number, value);
      return requestPoll();
    case kind.PMP_ADDRESS:
      writePmpAddress(number, value);
      return requestPoll();
    default:
      return writePlain(r, value);
  }
}

/** mip is read with the lines in it, but set and clear work on the bits that software holds. "mip and mie". */
function updatePending(number: u32, operation: u32, operand: u64): void {
  let mask = isSupervisor(number) ? cell(at.MIDELEG) & 2 : M_WRITABLE;
  if (timerComparesToStimecmp()) mask &= ~STIP;
  const held = cell(at.MIP);
  const value =
    operation == CsrOperation_write
      ? operand
      : operation == CsrOperation_set
        ? held | operand
        : held & ~operand;
  setCell(at.MIP, (held & ~mask) | (value & mask));
  requestPoll();
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
