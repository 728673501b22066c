/**
 * One bank of NOR flash with the Intel command set, as on QEMU's `virt`
 * ("cfi-flash"): two 16-bit chips side by side make 32-bit words.
 *
 * References: Common Flash Memory Interface (JESD68.01) and its publication of
 * vendor command sets (JEP137), "Intel/Sharp extended". The guest writes a
 * command to any address and the bank changes what it reads as; the state
 * machine below is that. What the chips hold is a page space of its own and no
 * part of the saved state here.
 */
import { record, u32, u8, type StateOf } from '../snapshot/codec';
import type { AccessSize } from './device';
import { DeclaredDevice } from './registers';

/** What the device needs of its contents. */
export interface FlashStorage {
  /** Bytes: a power of two. */
  readonly size: number;
  byteAt(offset: number): number;
  /** Clears bits. */
  program(offset: number, byte: number): void;
  /** Sets bytes to 0xff. */
  erase(offset: number, length: number): void;
}

export interface FlashBankOptions {
  readonly contents: FlashStorage;
}

/** Bytes erased at once: 128 KiB of each chip. */
export const FLASH_SECTOR = 256 * 1024;
const CHIPS = 2;
/** log2 of the bytes of a buffered write in one chip. */
const BUFFER_SHIFT = 11;

const COMMAND = {
  program: 0x10,
  erase: 0x20,
  programAlternate: 0x40,
  clearStatus: 0x50,
  lock: 0x60,
  readStatus: 0x70,
  readIdentity: 0x90,
  query: 0x98,
  confirm: 0xd0,
  bufferedWrite: 0xe8,
  readArray: 0xff,
} as const;

/** Status register: ready, always; both error bits together stand for a wrong command sequence. */
const STATUS = { ready: 0x80, sequenceError: 0x30 };

/** What the bank reads as. */
const SHOWS = { array: 0, status: 1, identity: 2, query: 3 } as const;

/** What the next write means. */
const EXPECTS = {
  command: 0,
  programData: 1,
  eraseConfirm: 2,
  lockConfirm: 3,
  bufferCount: 4,
  bufferData: 5,
  bufferConfirm: 6,
} as const;

/** First write of a command: what the bank shows then, and what comes next. All others go back to the array. */
const FIRST_WRITE = new Map<number, readonly [shows: number, expects: number]>([
  [COMMAND.program, [SHOWS.status, EXPECTS.programData]],
  [COMMAND.programAlternate, [SHOWS.status, EXPECTS.programData]],
  [COMMAND.erase, [SHOWS.status, EXPECTS.eraseConfirm]],
  [COMMAND.lock, [SHOWS.status, EXPECTS.lockConfirm]],
  [COMMAND.bufferedWrite, [SHOWS.status, EXPECTS.bufferCount]],
  [COMMAND.readStatus, [SHOWS.status, EXPECTS.command]],
  [COMMAND.readIdentity, [SHOWS.identity, EXPECTS.command]],
  [COMMAND.query, [SHOWS.query, EXPECTS.command]],
]);

const layout = record('cfi-flash', 1, {
  shows: u8,
  expects: u8,
  status: u8,
  /** Words of a buffered write that are still to come. */
  bufferLeft: u32,
});
type State = StateOf<typeof layout>;

/** Manufacturer (Intel) and device code that QEMU's `virt` shows. */
const IDENTITY = [0x89, 0x18];

/** The query structure of one chip, JESD68.01 section 2.2: address of a 16-bit word to its byte. */
function queryTable(size: number): number[] {
  const chipSize = size / CHIPS;
  const sector = FLASH_SECTOR / CHIPS;
  const sectors = chipSize / sector;
  const table: number[] = [];
  const put = (at: number, ...values: number[]): void =>
    values.forEach((value, index) => (table[at + index] = value));
  const half = (value: number): [number, number] => [value & 0xff, value >> 8];
  put(0x10, ...[...'QRY'].map((letter) => letter.charCodeAt(0)));
  put(0x13, ...half(0x0001)); // primary command set: Intel/Sharp extended
  put(0x15, ...half(0x0031)); // where its table is
  put(0x17, 0, 0, 0, 0); // no alternate command set
  put(0x1b, 0x45, 0x55, 0, 0); // supply 4.5 to 5.5 V, no programming voltage
  put(0x1f, 7, 7, 10, 0); // typical times, log2: word 128 us, buffer 128 us, erase 1 s, no chip erase
  put(0x23, 4, 4, 4, 0); // maximum times, log2 of the multiple
  put(0x27, Math.log2(chipSize));
  put(0x28, ...half(0x0002)); // 8 and 16 bits wide
  put(0x2a, ...half(BUFFER_SHIFT));
  put(0x2c, 1, ...half(sectors - 1), ...half(sector >> 8)); // one region of equal sectors
  put(0x31, ...[...'PRI10'].map((letter) => letter.charCodeAt(0)));
  put(0x36, 0, 0, 0, 0); // no optional features
  put(0x3f, 1); // one protection field
  return table;
}

export class FlashBank extends DeclaredDevice<State> {
  private readonly contents: FlashStorage;
  private readonly query: readonly number[];

  constructor({ contents }: FlashBankOptions) {
    super(layout, () => ({
      shows: SHOWS.array,
      expects: EXPECTS.command,
      status: STATUS.ready,
      bufferLeft: 0,
    }));
    this.contents = contents;
    this.query = queryTable(contents.size);
  }

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let lane = 0; lane < size && offset + lane < this.contents.size; lane++) {
      value |= this.readByte(offset + lane) << (8 * lane);
    }
    return value >>> 0;
  }

  /** Other modes than the array show the same word in both chips, one address every four bytes. */
  private readByte(offset: number): number {
    const { shows, status } = this.state;
    if (shows === SHOWS.array) return this.contents.byteAt(offset);
    if (offset & 1) return 0; // the upper byte of a chip's 16-bit word
    if (shows === SHOWS.status) return status;
    const table = shows === SHOWS.identity ? IDENTITY : this.query;
    return table[(offset >> 2) & 0xff] ?? 0;
  }

  write(offset: number, size: AccessSize, value: number): void {
    this.step[this.state.expects]!(value & 0xff, offset, size, value);
  }

  /** One row for each of EXPECTS. */
  private readonly step: readonly ((
    command: number,
    offset: number,
    size: AccessSize,
    value: number,
  ) => void)[] = [
    (command) => this.begin(command),
    (_, offset, size, value) => {
      this.program(offset, size, value);
      this.expect(EXPECTS.command);
    },
    (command, offset) => {
      if (this.confirmed(command)) this.contents.erase(offset - (offset % FLASH_SECTOR), FLASH_SECTOR);
    },
    // Locks are accepted and not kept: 0x01 locks, 0xd0 unlocks.
    (command) => this.confirmed(command === 0x01 ? COMMAND.confirm : command),
    (_command, _offset, _size, value) => {
      // Words less one. More than the buffer holds is the guest's mistake; it may still send them.
      this.state.bufferLeft = (value & 0xffff) + 1;
      this.expect(EXPECTS.bufferData);
    },
    (_, offset, size, value) => {
      this.program(offset, size, value);
      this.state.bufferLeft = Math.max(this.state.bufferLeft - 1, 0);
      if (this.state.bufferLeft === 0) this.expect(EXPECTS.bufferConfirm);
    },
    (command) => this.confirmed(command),
  ];

  private begin(command: number): void {
    if (command === COMMAND.clearStatus) this.state.status = STATUS.ready;
    const [shows, expects] = FIRST_WRITE.get(command) ?? [SHOWS.array, EXPECTS.command];
    this.state.shows = shows;
    this.state.expects = expects;
  }

  private expect(expects: number): void {
    this.state.expects = expects;
  }

  /** The second write of a two-step command. */
  private confirmed(command: number): boolean {
    this.expect(EXPECTS.command);
    if (command === COMMAND.confirm) return true;
    if (command === COMMAND.readArray) this.state.shows = SHOWS.array;
    else this.state.status |= STATUS.sequenceError;
    return false;
  }

  private program(offset: number, size: AccessSize, value: number): void {
    for (let lane = 0; lane < size && offset + lane < this.contents.size; lane++) {
      this.contents.program(offset + lane, (value >>> (8 * lane)) & 0xff);
    }
  }

  protected override problem(state: State): string | undefined {
    if (state.shows > SHOWS.query) return `no read mode ${state.shows}`;
    return state.expects > EXPECTS.bufferConfirm ? `no command step ${state.expects}` : undefined;
  }
}
