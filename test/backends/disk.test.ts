import fc from 'fast-check';
import { CopyOnWriteDisk } from '../../engine/backends/disk';
import { PAGE_SIZE } from '../../engine/memory/page-space';

const PAGES = 8;
const SIZE = PAGES * PAGE_SIZE;
/** Ends in the middle of a page. */
const image = Uint8Array.from(
  { length: 5 * PAGE_SIZE + 100 },
  (_, index) => (index * 31 + (index >> 12)) & 0xff,
);
const make = (): CopyOnWriteDisk => new CopyOnWriteDisk({ name: 'disk0', base: image, size: SIZE });
const whole = (disk: CopyOnWriteDisk): Uint8Array => {
  const bytes = new Uint8Array(disk.size);
  disk.readAt(0, bytes);
  return bytes;
};

const step = fc.record({
  kind: fc.constantFrom('write', 'zero', 'clean'),
  offset: fc.nat(SIZE - 1),
  length: fc.nat(3 * PAGE_SIZE),
  fill: fc.integer({ min: 1, max: 255 }),
});

test('reads what was written over the image, and the dirty pages alone bring another disk to the same', () => {
  const before = image.slice();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const disk = make();
      const store = make(); // what a store would hold
      const model = new Uint8Array(SIZE);
      model.set(image);
      const commit = (): void => {
        for (const page of disk.dirty()) store.load(page, disk.read(page));
        disk.clean();
        expect(disk.dirty()).toEqual([]);
        expect(Buffer.compare(whole(store), model)).toBe(0);
        expect(store.dirty()).toEqual([]);
      };
      for (const { kind, offset, length: wanted, fill } of steps) {
        const length = Math.min(wanted, SIZE - offset);
        if (kind === 'clean') commit();
        else if (kind === 'zero') {
          expect(disk.zeroAt(offset, length)).toBe(true);
          model.fill(0, offset, offset + length);
        } else {
          expect(disk.writeAt(offset, new Uint8Array(length).fill(fill))).toBe(true);
          model.fill(fill, offset, offset + length);
        }
        expect(Buffer.compare(whole(disk), model)).toBe(0);
      }
      for (let page = 0; page < PAGES; page++) {
        expect(
          Buffer.compare(disk.read(page), model.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)),
        ).toBe(0);
      }
      commit();
    }),
  );
  expect(Buffer.compare(image, before)).toBe(0);
});

test('only written pages are dirty, in ascending order', () => {
  const disk = make();
  disk.writeAt(6 * PAGE_SIZE, Uint8Array.of(1));
  disk.writeAt(2 * PAGE_SIZE - 1, Uint8Array.of(1, 2));
  expect(disk.dirty()).toEqual([1, 2, 6]);
});

test('zeroing what is zero already costs nothing, also on a disk of a tebibyte', () => {
  const disk = new CopyOnWriteDisk({ name: 'disk1', size: 2 ** 40 });
  disk.zeroAt(2 ** 39, 64 * 2 ** 20);
  expect(disk.dirty()).toEqual([]);
  disk.writeAt(2 ** 40 - 1, Uint8Array.of(5));
  expect(disk.dirty()).toEqual([2 ** 28 - 1]);
});

test('a page zeroed and then written again keeps the zeros around it, and its neighbours', () => {
  const disk = make();
  disk.zeroAt(0, 2 * PAGE_SIZE);
  disk.writeAt(10, Uint8Array.of(1));
  expect(disk.read(0).filter((byte) => byte !== 0)).toEqual(Uint8Array.of(1));
  expect(disk.read(1).every((byte) => byte === 0)).toBe(true);
});

test('sizes and ranges are checked', () => {
  const disk = (options: { base?: Uint8Array; size?: number }) => () =>
    new CopyOnWriteDisk({ name: 'd', ...options });
  expect(disk({})).toThrow(/give an image or a size/);
  expect(disk({ size: 1000 })).toThrow(/whole pages/);
  expect(disk({ base: image, size: PAGE_SIZE })).toThrow(/larger size/);
  expect(disk({ base: new Uint8Array(1) })().size).toBe(PAGE_SIZE);
  expect(() => make().readAt(SIZE - 1, new Uint8Array(2))).toThrow(RangeError);
  expect(() => make().load(PAGES, new Uint8Array(PAGE_SIZE))).toThrow(RangeError);
  expect(() => make().load(0, new Uint8Array(1))).toThrow(RangeError);
});
