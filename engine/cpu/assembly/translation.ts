// What the interpreter and memory tell the translator. AssemblyScript.
import * as at from '../layout';
import { codeWritten, translate } from './env';
import { cell, privilege } from './state';

/**
 * Code at `place` of this memory is worth translating. True when it was
 * translated at once, and the jump cache knows it.
 */
export function hot(pc: u64, place: u32): bool {
  store<u16>(at.HOT_COUNTERS + (place & at.HOT_COUNTERS_MASK), 0);
  const number = load<u32>(at.CANDIDATE_COUNT);
  if (number < u32(at.CANDIDATES_MOST)) {
    const candidate = at.CANDIDATES + number * at.CANDIDATE_SIZE;
    store<u64>(candidate, pc);
    store<u64>(candidate, cell(at.SATP), 8);
    store<u32>(candidate, place, 16);
    store<u32>(candidate, privilege(), 20);
    store<u32>(at.CANDIDATE_COUNT, number + 1);
  }
  if (number + 1 < load<u32>(at.CANDIDATE_BATCH)) return false;
  translate();
  const line = at.JUMP_CACHE + (((place << 2) ^ (place >> 10)) & at.JUMP_CACHE_MASK);
  return load<u32>(line) == place;
}

/** Whether code was translated from a page of RAM. */
export function isCode(page: u32): bool {
  return ((load<u8>(at.CODE_PAGES + (page >> 3)) >> (page & 7)) & 1) != 0;
}

/** To be called before RAM changes: what was translated from the page is dropped. */
export function noticeWrite(page: u32): void {
  if (isCode(page)) codeWritten(page);
}
