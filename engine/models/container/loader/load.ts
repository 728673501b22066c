/** Puts a program's segments into an address space. Linux: fs/binfmt_elf.c. */
import { Errno } from '../errno';
import type { Description } from '../kernel/description';
import { type AddressSpace, LOWEST, TASK_SIZE, pageUp } from '../mm/address-space';
import { Prot } from '../mm/area';
import type { Frames } from '../mm/frames';
import { UserMemory } from '../mm/user-memory';
import type { Program } from './elf';

const PAGE = 4096;
/** Where position-independent programs go: two thirds of user space, ELF_ET_DYN_BASE. */
const PROGRAM_BASE = Math.floor(((TASK_SIZE / 3) * 2) / PAGE) * PAGE;

/** @param where `program` at its usual place, `linker` wherever there is room @returns what is added to its addresses */
export function loadProgram(
  space: AddressSpace,
  frames: Frames,
  file: Description,
  program: Program,
  where: 'program' | 'linker',
): number {
  const length = program.high - program.low;
  const base = !program.relocatable
    ? 0
    : where === 'program'
      ? PROGRAM_BASE - program.low
      : space.findGap(length) - program.low;
  if (base + program.low < LOWEST) throw new Errno('EPERM');
  if (base + program.high > TASK_SIZE) throw new Errno('ENOMEM');
  const memory = new UserMemory(frames, () => space);
  for (const { address, offset, fileSize, size, prot } of program.segments) {
    const start = base + Math.floor(address / PAGE) * PAGE;
    const fileEnd = base + address + fileSize;
    const end = pageUp(base + address + size);
    const mapped = fileSize > 0 ? pageUp(fileEnd) : start;
    if (fileSize > 0) {
      space.map({ start, end: mapped, prot, file, offset: offset - (address % PAGE), label: '' });
    }
    if (end > mapped) space.map({ start: mapped, end, prot, offset: 0, label: '' });
    // Behind the file's part the last page holds zeros, not what follows in the file.
    if (size > fileSize && fileSize > 0 && prot & Prot.write)
      memory.zero(fileEnd, Math.min(mapped, end) - fileEnd);
  }
  return base;
}
