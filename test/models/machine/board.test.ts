import fc from 'fast-check';
import { CopyOnWriteDisk } from '../../../engine/backends/disk';
import type { AccessSize } from '../../../engine/devices/device';
import { Board } from '../../../engine/models/machine/board';
import { VIRT } from '../../../engine/models/machine/memory-map';
import { StateError } from '../../../engine/snapshot/errors';
import { testMachine } from './context';

const UART = 0x1000_0000;
const PLIC = 0x0c00_0000;
const RTC = 0x10_1000;

function board(harts = 1, disks = 0) {
  const machine = testMachine(harts, {
    disks: Array.from(
      { length: disks },
      (_, index) => new CopyOnWriteDisk({ name: `disk${index}`, size: 8192 }),
    ),
  });
  return { ...machine, board: new Board(VIRT, machine.context) };
}

/** Everything a guest can do to the board, with a leaning towards where devices are. */
const bases = VIRT.flatMap(({ windows }) => windows.map(({ base }) => base));
const traffic = fc.array(
  fc.record({
    address: fc.oneof(
      fc.tuple(fc.constantFrom(...bases), fc.nat(0x40)).map(([base, offset]) => base + offset),
      fc.tuple(fc.constantFrom(...bases), fc.nat(0x7fff)).map(([base, offset]) => base + offset),
      fc.maxSafeNat(),
    ),
    size: fc.constantFrom<AccessSize>(1, 2, 4),
    write: fc.boolean(),
    value: fc.oneof(fc.nat(0xff), fc.integer({ min: 0, max: 0xffffffff })),
  }),
  { maxLength: 80 },
);

describe('board', () => {
  test('has QEMU virt’s windows', () => {
    const found = Object.fromEntries(
      VIRT.map(({ name, windows }) => [
        name,
        windows.map(({ base, size }) => [base.toString(16), size.toString(16)].join('+')).join(' '),
      ]),
    );
    expect(found).toEqual({
      test: '100000+1000',
      rtc: '101000+1000',
      clint: '2000000+10000',
      plic: 'c000000+600000',
      serial: '10000000+100',
      ...Object.fromEntries(
        [1, 2, 3, 4, 5, 6, 7, 8].map((slot) => [`virtio-mmio${slot - 1}`, `1000${slot}000+1000`]),
      ),
      flash0: '20000000+2000000',
      flash1: '22000000+2000000',
      pci: '30000000+10000000 3000000+10000 40000000+40000000 400000000+400000000',
    });
  });

  test('what is typed interrupts the hart through UART and PLIC, and is read back', () => {
    const { board: it, hartLines } = board(2);
    const supervisor = 3; // context of hart 1 in S-mode
    it.bus.write(PLIC + 4 * 10, 4, 1);
    it.bus.write(PLIC + 0x2000 + 0x80 * supervisor, 4, 1 << 10);
    it.bus.write(UART + 1, 1, 1);
    it.type(new TextEncoder().encode('ok'));
    expect(hartLines.map((hart) => hart.supervisorExternal.asserted)).toEqual([false, true]);
    expect(it.bus.read(PLIC + 0x200004 + 0x1000 * supervisor, 4)).toBe(10);
    expect([it.bus.read(UART, 1), it.bus.read(UART, 1)]).toEqual([0x6f, 0x6b]);
    it.bus.write(PLIC + 0x200004 + 0x1000 * supervisor, 4, 10);
    expect(hartLines[1]!.supervisorExternal.asserted).toBe(false);
    expect(it.unread).toBe(0);
  });

  test('output, halt and software interrupts reach the machine', () => {
    const { board: it, output, halts, hartLines, compares } = board(2);
    it.bus.write(UART, 1, 0x41);
    it.bus.write(0x200_0004, 4, 1);
    it.bus.write(0x200_4008, 4, 5);
    it.bus.write(0x200_400c, 4, 1);
    it.bus.write(0x10_0000, 4, 0x5555);
    expect(output).toEqual([0x41]);
    expect(hartLines.map((hart) => hart.machineSoftware.asserted)).toEqual([false, true]);
    expect(compares).toEqual([0n, 0x1_0000_0005n]);
    expect(halts).toEqual([{ how: 'power-off', code: 0 }]);
  });

  test('the alarm of the clock is the board’s next alarm', () => {
    const { board: it, clock, hartLines } = board();
    expect(it.nextAlarm()).toBeUndefined();
    const due = clock.now + 500n;
    it.bus.write(PLIC + 4 * 11, 4, 1);
    it.bus.write(PLIC + 0x2000, 4, 1 << 11);
    it.bus.write(RTC + 0x10, 4, 1);
    it.bus.write(RTC + 0x0c, 4, Number(due >> 32n));
    it.bus.write(RTC + 0x08, 4, Number(due & 0xffffffffn));
    expect(it.nextAlarm()).toBe(due);
    clock.now = due;
    it.tick();
    expect(hartLines[0]!.machineExternal.asserted).toBe(true);
    expect(it.nextAlarm()).toBeUndefined();
  });

  test('disks sit in the mmio slots in order, then behind PCI; empty slots show no device', () => {
    const { board: it } = board(1, 10);
    const identities = (at: Board) =>
      Array.from({ length: 8 }, (_, slot) => at.bus.read(0x1000_1008 + slot * 0x1000, 4));
    expect(identities(it)).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
    expect(identities(board(1, 1).board)).toEqual([2, 0, 0, 0, 0, 0, 0, 0]);
    const pci = (slot: number) => it.bus.read(0x3000_0000 + (slot << 15), 4)!.toString(16);
    expect([1, 2, 3, 4, 5].map(pci)).toEqual(['10441af4', '10431af4', '10421af4', '10421af4', 'ffffffff']);
  });

  test('flash shows its images and is a page space of each bank', () => {
    const machine = testMachine(1, { flash: [undefined, Uint8Array.of(1, 2, 3, 4)] });
    const it = new Board(VIRT, machine.context);
    expect([it.bus.read(0x2000_0000, 4), it.bus.read(0x2200_0000, 4)]).toEqual([0xffffffff, 0x04030201]);
    it.bus.write(0x2000_1000, 4, 0x40);
    it.bus.write(0x2000_1000, 4, 0x12);
    expect(it.spaces.map((space) => [space.name, space.dirty()])).toEqual([['flash0', [1]], ['flash1', []]]); // prettier-ignore
  });

  test('bytes for a port that does not exist are refused by name', () => {
    expect(() => board().board.send('outbox', Uint8Array.of(1))).toThrow(/outbox.*inbox/);
  });

  test('wild accesses harm nothing, and a restored board goes on exactly as the saved one', () => {
    fc.assert(
      fc.property(traffic, traffic, (before, after) => {
        const one = board(2, 1);
        const other = board(2, 1);
        const perform = (on: typeof one, list: typeof before) =>
          list.map(({ address, size, write, value }) =>
            write ? on.board.bus.write(address, size, value) : on.board.bus.read(address, size),
          );
        perform(one, before);
        const saved = one.board.save();
        other.board.restore(saved);
        expect(other.board.save()).toEqual(saved);
        // What the board leaves to others to save.
        other.memory.bytes.set(one.memory.bytes);
        other.compares.splice(0, 2, ...one.compares);
        one.board.spaces.forEach((space, index) =>
          space.dirty().forEach((page) => other.board.spaces[index]!.load(page, space.read(page))),
        );
        expect(perform(other, after)).toEqual(perform(one, after));
        expect(other.board.save()).toEqual(one.board.save());
        one.board.reset();
        expect(one.board.save()).toEqual(board(2, 1).board.save());
      }),
      { numRuns: 40 },
    );
  });

  test('restore drives no interrupt line', () => {
    const one = board();
    one.board.bus.write(PLIC + 40, 4, 1);
    one.board.bus.write(PLIC + 0x2000, 4, 1 << 10);
    one.board.bus.write(UART + 1, 1, 3);
    const other = board();
    other.board.restore(one.board.save());
    expect(other.hartLines[0]!.machineExternal.sets).toBe(0);
  });

  test('state of other devices is refused, naming what is missing and unknown', () => {
    const { context } = testMachine();
    const small = new Board(
      VIRT.filter(({ name }) => name !== 'rtc'),
      context,
    );
    const full = new Board(VIRT, context);
    expect(() => full.restore(small.save())).toThrow(StateError);
    expect(() => full.restore(small.save())).toThrow(/missing: rtc; unknown: none/);
    expect(() => small.restore(full.save())).toThrow(/missing: none; unknown: rtc/);
  });

  test('a part that refuses its state is named, and all devices stay as they were', () => {
    const one = board(1, 0);
    const other = board(1, 1); // a disk in slot 0 where the saved machine had none
    one.board.bus.write(RTC + 0x10, 4, 1);
    const before = other.board.save();
    expect(() => other.board.restore(one.board.save())).toThrow(/virtio-mmio0: /);
    expect(other.board.save()).toEqual(before);
  });

  test('truncated and mutated state is a StateError or taken whole', () => {
    const saved = board().board.save();
    fc.assert(
      fc.property(fc.nat(saved.length - 1), fc.nat(0xff), fc.boolean(), (at, value, cut) => {
        const { board: it } = board();
        const payload = cut ? saved.slice(0, at) : saved.slice();
        if (!cut) payload[at] = value;
        const before = it.save();
        try {
          it.restore(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(StateError);
          expect(it.save()).toEqual(before);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('rows that do not fit together are refused', () => {
    const { context } = testMachine();
    expect(() => new Board([VIRT[0]!, VIRT[0]!], context)).toThrow(/two devices are named test/);
    const wrong = { ...VIRT[1]!, interrupts: { first: 11, count: 0 } };
    expect(() => new Board([wrong], context)).toThrow(/rtc has no interrupt 0; add it/);
  });
});
