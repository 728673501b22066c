/** The memory of a process: areas, and the page tables that faults fill from them (Linux: mm_struct). */
import { Errno } from '../errno';
import { type Area, AreaList, Prot, part } from './area';
import type { Frames } from './frames';
import { OutOfMemory, PageTable, Pte, frameOf, pteOf } from './page-table';

const PAGE = 4096;
/** End of user space: Sv39's lower half. */
export const TASK_SIZE = 2 ** 38;
/** Nothing is mapped below, so that a null pointer with a small offset faults (vm.mmap_min_addr). */
export const LOWEST = 0x10000;
const STACK_LIMIT = 8 * 2 ** 20;
/** mmap goes downward from here: room for the stack and its growth above. */
export const MMAP_TOP = TASK_SIZE - 2 * STACK_LIMIT;
/** vm.max_map_count. */
const MAX_AREAS = 65530;

export type FaultResult = 'ok' | 'unmapped' | 'forbidden' | 'bus';

export const pageUp = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

function bitsOf(prot: number, writable: boolean): number {
  if (prot === Prot.none) return 0;
  let bits: number = Pte.V | Pte.U | Pte.A;
  // W without R is reserved; as on Linux, what may be written may be read.
  if (prot & (Prot.read | Prot.write)) bits |= Pte.R;
  if (prot & Prot.execute) bits |= Pte.X;
  if (writable && prot & Prot.write) bits |= Pte.W | Pte.D;
  return bits;
}

export class AddressSpace {
  readonly areas = new AreaList();
  /** How many tasks and vfork parents hold it. */
  users = 1;
  programBreakStart = 0;
  programBreak = 0;

  constructor(
    readonly table: PageTable,
    private readonly frames: Frames,
    /** A page's translation got less permissive or went elsewhere. */
    private readonly forget: (page: number) => void,
  ) {}

  /** Maps an area in place of whatever was there. @throws Errno ENOMEM */
  map(area: Area): void {
    if (this.areas.all.length >= MAX_AREAS) throw new Errno('ENOMEM');
    this.unmap(area.start, area.end);
    area.file?.hold();
    area.object?.hold();
    this.areas.insert(area);
  }

  unmap(start: number, end: number): void {
    this.split(start);
    this.split(end);
    const removed = this.areas.remove(start, end);
    if (removed.length === 0) return;
    this.table.update(start / PAGE, end / PAGE, (page, pte) => {
      this.frames.release(frameOf(pte));
      this.forget(page);
      return 0;
    });
    for (const area of removed) {
      area.file?.release();
      area.object?.release();
    }
  }

  /** @throws Errno ENOMEM when a page of the range is not mapped */
  protect(start: number, end: number, prot: number): void {
    if (!this.areas.covers(start, end)) throw new Errno('ENOMEM');
    this.split(start);
    this.split(end);
    for (const area of this.areas.remove(start, end)) this.areas.insert({ ...area, prot });
    this.table.update(start / PAGE, end / PAGE, (page, pte) => {
      this.forget(page);
      const area = this.areas.find(page * PAGE);
      return pteOf(frameOf(pte), bitsOf(prot, area?.object !== undefined));
    });
  }

  /** A range of `length` bytes where nothing is mapped. @throws Errno ENOMEM */
  findGap(length: number, hint = 0): number {
    if (hint >= LOWEST && hint + length <= TASK_SIZE && this.areas.isFree(hint, hint + length)) return hint;
    const found = this.areas.gapBelow(MMAP_TOP, length, LOWEST);
    if (found === undefined) throw new Errno('ENOMEM');
    return found;
  }

  /** Makes an access possible, or says why it is not. @throws OutOfMemory */
  fault(address: number, access: number): FaultResult {
    const area = this.areas.find(address) ?? this.growStack(address);
    if (!area) return 'unmapped';
    const allowed = area.prot & Prot.write ? area.prot | Prot.read : area.prot;
    if ((allowed & access) === 0) return 'forbidden';
    const page = Math.floor(address / PAGE);
    const pte = this.table.get(page);
    if (pte !== 0) {
      this.repair(area, page, pte, (access & Prot.write) !== 0);
      return 'ok';
    }
    const offset = area.offset + (page * PAGE - area.start);
    if (area.object) {
      const frame = area.object.frame(offset / PAGE);
      if (frame === undefined) return 'bus';
      this.frames.hold(frame);
      this.put(page, frame, bitsOf(area.prot, true));
      return 'ok';
    }
    if (area.file && offset >= area.file.size()) return 'bus';
    const frame = this.frames.allocate();
    if (frame === undefined) throw new OutOfMemory();
    if (area.file) this.frames.bytes(frame).set(area.file.pread(offset, PAGE));
    this.put(page, frame, bitsOf(area.prot, true));
    return 'ok';
  }

  /** The frame behind an access, made present if need be; undefined where the access is not allowed. @throws OutOfMemory */
  resolve(address: number, access: number): number | undefined {
    if (!(address >= 0 && address < TASK_SIZE)) return undefined;
    const page = Math.floor(address / PAGE);
    const needed = access & Prot.write ? Pte.W : access & Prot.execute ? Pte.X : Pte.R;
    let pte = this.table.get(page);
    if ((pte & Pte.V) === 0 || (pte & needed) === 0) {
      if (this.fault(address, access) !== 'ok') return undefined;
      pte = this.table.get(page);
    }
    const frame = frameOf(pte);
    if (access & Prot.write) this.frames.touch(frame);
    return frame;
  }

  /** A copy whose private pages are copied when either side writes. @throws OutOfMemory with nothing left behind */
  fork(table: PageTable): AddressSpace {
    const child = new AddressSpace(table, this.frames, this.forget);
    child.programBreak = this.programBreak;
    child.programBreakStart = this.programBreakStart;
    for (const area of this.areas.all) {
      area.file?.hold();
      area.object?.hold();
      child.areas.insert(area);
    }
    try {
      for (const area of this.areas.all) {
        this.table.update(area.start / PAGE, area.end / PAGE, (page, pte) => {
          const kept = area.object || !(pte & Pte.W) ? pte : (pte & ~Pte.W) >>> 0;
          table.set(page, kept);
          this.frames.hold(frameOf(pte));
          if (kept !== pte) this.forget(page);
          return kept;
        });
      }
    } catch (error) {
      child.release();
      throw error;
    }
    return child;
  }

  /** The last user gives all memory back. */
  release(): void {
    if (--this.users > 0) return;
    this.table.free();
    for (const area of this.areas.all) {
      area.file?.release();
      area.object?.release();
    }
    this.areas.remove(0, TASK_SIZE);
  }

  /** Moves a mapping with its pages. `to` is free. @throws OutOfMemory */
  move(start: number, length: number, to: number, newLength: number): void {
    this.split(start);
    this.split(start + length);
    const [area] = this.areas.overlapping(start, start + length);
    if (!area) throw new Errno('EFAULT');
    this.map({ ...area, start: to, end: to + newLength });
    this.table.update(start / PAGE, (start + Math.min(length, newLength)) / PAGE, (page, pte) => {
      this.table.set(page + (to - start) / PAGE, pte);
      this.forget(page);
      return 0;
    });
    this.unmap(start, start + length);
  }

  /** madvise(MADV_DONTNEED): private pages are forgotten and come back as they first were. */
  discard(start: number, end: number): void {
    this.table.update(start / PAGE, end / PAGE, (page, pte) => {
      this.frames.release(frameOf(pte));
      this.forget(page);
      return 0;
    });
  }

  /** Pages present. */
  get resident(): number {
    let pages = 0;
    this.table.walk((_, table) => (pages += table ? 0 : 1));
    return pages;
  }
  /** Bytes mapped. */
  get size(): number {
    return this.areas.all.reduce((sum, area) => sum + area.end - area.start, 0);
  }

  private put(page: number, frame: number, bits: number): void {
    try {
      this.table.set(page, pteOf(frame, bits));
    } catch (error) {
      this.frames.release(frame);
      throw error;
    }
  }

  /** A present page that refuses the access: copy on write, or permissions that grew. */
  private repair(area: Area, page: number, pte: number, write: boolean): void {
    let frame = frameOf(pte);
    const exclusive = area.object !== undefined || this.frames.count(frame) === 1;
    if (write && !exclusive) {
      const copy = this.frames.allocate();
      if (copy === undefined) throw new OutOfMemory();
      this.frames.bytes(copy).set(this.frames.bytes(frame));
      this.frames.release(frame);
      frame = copy;
    }
    this.table.set(page, pteOf(frame, bitsOf(area.prot, write || exclusive)));
    this.forget(page);
  }

  /** An access below the stack extends it, to its limit. */
  private growStack(address: number): Area | undefined {
    const above = this.areas.after(address);
    if (above?.label !== '[stack]') return undefined;
    const start = Math.floor(address / PAGE) * PAGE;
    if (above.end - start > STACK_LIMIT || !this.areas.isFree(start, above.start)) return undefined;
    this.areas.insert({ ...above, start, end: above.start, offset: 0 });
    return this.areas.find(address);
  }

  /** A boundary between areas at `address`; each part holds its file by itself. */
  private split(address: number): void {
    const area = this.areas.find(address);
    if (!area || area.start === address || (!area.file && !area.object)) return;
    this.areas.remove(area.start, area.end);
    this.areas.insert(part(area, area.start, address));
    this.areas.insert(part(area, address, area.end));
    area.file?.hold();
    area.object?.hold();
  }
}
