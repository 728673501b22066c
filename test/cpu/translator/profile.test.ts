/** What was hot, in bytes and back, and found again by its content wherever it lies. */
import fc from 'fast-check';
import {
  HOTTEST,
  PROFILE_PAGES,
  PROFILE_PLACES,
  decodeProfile,
  encodeProfile,
  hashPage,
  heatOf,
  placesOf,
  profileOf,
  type HotPlace,
} from '../../../engine/cpu/translator/profile';
import { StateError } from '../../../engine/snapshot/errors';

const place = (pages: number): fc.Arbitrary<HotPlace> =>
  fc.record({
    page: fc.nat({ max: pages }).map((number) => (number * 0x9e3779b97f4a) % 2 ** 48),
    offset: fc.nat({ max: 2047 }).map((half) => half * 2),
    heat: fc.nat({ max: HOTTEST }),
  });

const sorted = (places: Iterable<HotPlace>): HotPlace[] =>
  [...places].sort((a, b) => a.page - b.page || a.offset - b.offset);

test('a profile is the same after it was written and read', () => {
  fc.assert(
    fc.property(fc.array(place(30), { maxLength: 200 }), (places) => {
      const profile = profileOf(places);
      const bytes = encodeProfile(profile);
      expect(sorted(placesOf(decodeProfile(bytes)))).toEqual(sorted(placesOf(profile)));
      expect(encodeProfile(decodeProfile(bytes))).toEqual(bytes);
    }),
  );
});

test('a profile keeps the hottest of what is too much, in some 13 KB', () => {
  const places = Array.from({ length: 40_000 }, (_, i) => ({
    page: i % 1500,
    offset: ((i * 7) % 2048) * 2,
    heat: i % 32,
  }));
  const profile = profileOf(places);
  const kept = [...placesOf(profile)];
  expect(profile.size).toBeLessThanOrEqual(PROFILE_PAGES);
  expect(kept).toHaveLength(PROFILE_PLACES);
  expect(encodeProfile(profile).length).toBeLessThanOrEqual(3 + 7 * PROFILE_PAGES + 2 * PROFILE_PLACES);
  expect(Math.min(...kept.map(({ heat }) => heat))).toBeGreaterThan(20);
});

test('bytes that are no profile are refused, whatever they are', () => {
  const whole = encodeProfile(profileOf([{ page: 5, offset: 8, heat: 3 }]));
  for (const bytes of [
    whole.subarray(0, -1),
    Uint8Array.of(...whole, 0),
    new Uint8Array(0),
    Uint8Array.of(9, 0, 0),
  ])
    expect(() => decodeProfile(bytes)).toThrow(StateError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        expect(encodeProfile(decodeProfile(bytes)).length).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(StateError);
      }
    }),
  );
});

test('heat doubles from step to step, and ends', () => {
  expect([0, 1, 2, 3, 4, 1000, 2 ** 40].map(heatOf)).toEqual([0, 1, 2, 2, 3, 10, HOTTEST]);
});

test('pages that differ in one of the words that are looked at differ in their hash', () => {
  const words = new Uint32Array(2048).map((_, i) => Math.imul(i, 0x9e3779b1));
  words.set(words.subarray(0, 1024), 1024);
  expect(hashPage(words, 1024)).toBe(hashPage(words, 0));
  const hashes = new Set([hashPage(words, 0)]);
  for (let word = 0; word < 1024; word += 32) {
    for (const bit of [0, 13, 31]) {
      words[word]! ^= 1 << bit;
      hashes.add(hashPage(words, 0));
      words[word]! ^= 1 << bit;
    }
  }
  expect(hashes.size).toBe(1 + 3 * 32);
});
