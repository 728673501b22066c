import fc from 'fast-check';
import { FlashContents } from '../../engine/backends/flash-contents';
import { FLASH_SECTOR, FlashBank } from '../../engine/devices/flash';
import { deviceContract, type DeviceUnderTest } from '../contract/device';

const SIZE = 32 * 1024 * 1024;

function flash(image?: Uint8Array) {
  const contents = new FlashContents({ name: 'flash0', size: SIZE, image });
  const device = new FlashBank({ contents });
  const get = (offset: number) => device.read(offset, 4);
  const put = (offset: number, value: number) => device.write(offset, 4, value);
  return {
    contents,
    device,
    get,
    put,
    program: (offset: number, value: number) => {
      put(offset, 0x00400040);
      put(offset, value);
      expect(get(offset)).toBe(0x00800080);
      put(offset, 0x00ff00ff);
    },
    erase: (offset: number) => {
      put(offset, 0x00200020);
      put(offset, 0x00d000d0);
      expect(get(offset)).toBe(0x00800080);
      put(offset, 0x00ff00ff);
    },
  };
}

deviceContract('flash', () => {
  const { device, contents } = flash(Uint8Array.from({ length: 8000 }, (_, index) => index & 0xff));
  return {
    device,
    contents,
    size: SIZE,
    offsets: [0, 4, 5, 0x40, 0xfff, 0x1f3e, FLASH_SECTOR, SIZE - 4],
    values: [0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xe8, 0xd0, 0xff, 2],
    lines: [],
    adopt: (other: DeviceUnderTest & { contents: FlashContents }) => {
      for (const page of other.contents.dirty()) contents.load(page, other.contents.read(page));
    },
  };
});

describe('flash', () => {
  test('shows its image, and erased flash behind it', () => {
    const { get, device } = flash(Uint8Array.of(1, 2, 3, 4, 5));
    expect([get(0), get(4), get(SIZE - 4)]).toEqual([0x04030201, 0xffffff05, 0xffffffff]);
    expect([device.read(1, 1), device.read(1, 2)]).toEqual([2, 0x0302]);
  });

  test('is recognised by the CFI query, in both chips', () => {
    const { get, put } = flash();
    put(0x55 * 4, 0x00980098);
    const query = (at: number) => {
      const word = get(at * 4);
      expect(word >>> 16).toBe(word & 0xffff);
      return word & 0xff;
    };
    expect(String.fromCharCode(query(0x10), query(0x11), query(0x12))).toBe('QRY');
    expect(query(0x13)).toBe(1);
    const primary = query(0x15);
    expect(String.fromCharCode(query(primary), query(primary + 1), query(primary + 2))).toBe('PRI');
    const sectors = query(0x2d) + (query(0x2e) << 8) + 1;
    const sector = (query(0x2f) + (query(0x30) << 8)) * 256;
    expect(2 ** query(0x27)).toBe(SIZE / 2);
    expect(sectors * sector).toBe(SIZE / 2);
    expect(sector * 2).toBe(FLASH_SECTOR);
    put(0, 0x00ff00ff);
    expect(get(0x40)).toBe(0xffffffff);
  });

  test('identifies itself', () => {
    const { get, put } = flash();
    put(0, 0x00900090);
    expect([get(0), get(4), get(8)]).toEqual([0x00890089, 0x00180018, 0]);
  });

  test('programming clears bits only; erasing sets its sector and no other', () => {
    const { get, program, erase } = flash();
    program(FLASH_SECTOR, 0x12345678);
    program(FLASH_SECTOR, 0xff00ff00);
    program(FLASH_SECTOR - 4, 0);
    expect(get(FLASH_SECTOR)).toBe(0x12005600);
    erase(FLASH_SECTOR + 100);
    expect([get(FLASH_SECTOR), get(FLASH_SECTOR - 4)]).toEqual([0xffffffff, 0]);
  });

  test('an image can be erased', () => {
    const { get, erase, contents } = flash(new Uint8Array(5000));
    erase(0);
    expect(get(0)).toBe(0xffffffff);
    expect(contents.dirty()).toEqual([0, 1]);
  });

  test('a buffered write programs its words after the count and ends with its confirmation', () => {
    const { get, put } = flash();
    put(0x1000, 0x00e800e8);
    expect(get(0x1000)).toBe(0x00800080);
    put(0x1000, 0x00020002);
    for (const word of [0, 1, 2]) put(0x1000 + 4 * word, 0x11111111 * (word + 1));
    put(0x1000, 0x00d000d0);
    expect(get(0x1000)).toBe(0x00800080);
    put(0x1000, 0x00ff00ff);
    expect([0, 1, 2, 3].map((word) => get(0x1000 + 4 * word))).toEqual([
      0x11111111, 0x22222222, 0x33333333, 0xffffffff,
    ]);
  });

  test('an erase that is not confirmed erases nothing and shows as an error until cleared', () => {
    const { get, put, program } = flash();
    program(0, 0x01020304);
    put(0, 0x00200020);
    put(0, 0x00420042);
    expect(get(0)).toBe(0x00b000b0);
    put(0, 0x00500050);
    expect(get(0)).toBe(0x01020304);
    put(0, 0x00700070);
    expect(get(0)).toBe(0x00800080);
  });

  test('the pages that changed are all that a copy needs', () => {
    const place = fc.record({ offset: fc.nat(SIZE / 4 - 1), value: fc.nat(0xffffff), erase: fc.boolean() });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 10 }), (places) => {
        const image = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251);
        const one = flash(image);
        for (const { offset, value, erase } of places) {
          if (erase) one.erase(offset * 4);
          else one.program(offset * 4, value);
        }
        const other = flash(image);
        for (const page of one.contents.dirty()) other.contents.load(page, one.contents.read(page));
        for (const { offset } of [...places, { offset: 0 }, { offset: 2000 }]) {
          expect(other.get(offset * 4)).toBe(one.get(offset * 4));
        }
        expect(other.contents.dirty()).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test('an image that does not fit is refused', () => {
    expect(() => new FlashContents({ name: 'flash1', size: 4096, image: new Uint8Array(4097) })).toThrow(
      /flash1.*smaller/,
    );
  });
});
