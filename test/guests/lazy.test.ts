/**
 * Guests that run before their pages are there. Whatever is absent, and in whatever order it comes, the guest ends as
 * one that had everything from the start: the same registers, counters, devices and memory, bit for bit.
 */
import fc from 'fast-check';
import type { Guest, MachineDefinition, ParavirtDefinition, WantedPage } from '../../engine/models/guest';
import { describeWith } from '../requirement';
import { DebianImage, MemoryCheckpoint, debianImages, fingerprint, runTo } from './debian';

const SLICE = 6_000_000;

interface Case {
  readonly name: string;
  readonly definition: (image: DebianImage) => MachineDefinition | ParavirtDefinition;
  readonly create: (image: DebianImage) => Guest;
  /** Instructions at which the guest is taken apart: firmware, early kernel, drivers, userspace. */
  readonly cuts: readonly number[];
}

const cases: readonly Case[] = [
  {
    name: 'machine',
    definition: (image) => image.definition(),
    create: (image) => image.create(),
    cuts: [1_000_000, 60_000_000, 400_000_000, 740_000_000],
  },
  {
    name: 'machine of two harts',
    definition: (image) => image.definition({ harts: 2 }),
    create: (image) => image.create({ harts: 2 }),
    cuts: [400_000_000, 800_000_000],
  },
  {
    name: 'paravirt',
    definition: (image) => image.paravirtDefinition(),
    create: (image) => image.createParavirt(),
    cuts: [1_000_000, 60_000_000, 300_000_000],
  },
];

/** Runs a guest that lacks pages, and brings what it wants. Returns how often it had to wait. */
function runLazily(guest: Guest, end: number, bring: (wanted: readonly WantedPage[]) => void): number {
  let waits = 0;
  for (;;) {
    const exit = guest.run({ instructions: Math.max(0, end - guest.instructions) });
    guest.takeOutput();
    if (exit.reason === 'page wanted') {
      waits++;
      bring(exit.wanted);
    } else if (exit.reason === 'idle' && exit.wakeAfter !== undefined && guest.instructions < end) {
      guest.skipIdle(exit.wakeAfter);
    } else {
      return waits;
    }
  }
}

describeWith([debianImages], 'a guest whose pages come when they are wanted', () => {
  const image = new DebianImage();

  describe.each(cases)('$name', ({ definition, create, cuts }) => {
    const points: { at: number; checkpoint: MemoryCheckpoint; after: string }[] = [];

    beforeAll(() => {
      const guest = create(image);
      for (const cut of cuts) {
        runTo(guest, cut);
        const whole = new MemoryCheckpoint();
        whole.takeOver(points.at(-1)?.checkpoint);
        whole.take(guest);
        const at = guest.instructions;
        const other = create(image);
        whole.apply(other);
        runTo(other, at + SLICE);
        points.push({ at, checkpoint: whole, after: fingerprint(other) });
      }
    }, 120_000);

    test('ends as one that had them all', () => {
      fc.assert(
        fc.property(
          fc.nat({ max: cuts.length - 1 }),
          fc.integer({ min: 0, max: 3 }),
          fc.array(fc.integer({ min: 1, max: SLICE }), { maxLength: 3 }),
          (which, neighbours, stops) => {
            const point = points[which]!;
            const guest = image.createShell(definition(image));
            guest.provideFiles?.(image.files);
            point.checkpoint.applyState(guest);
            const bring = (wanted: readonly WantedPage[]): void => {
              for (const { space, page } of wanted) {
                for (let next = page; next <= page + neighbours && next < space.pages; next++) {
                  if (space.lazy?.isAbsent(next)) point.checkpoint.supply({ space, page: next });
                }
              }
            };
            // Cut anywhere, too.
            let waits = 0;
            for (const stop of [...stops].sort((a, b) => a - b))
              waits += runLazily(guest, point.at + stop, bring);
            waits += runLazily(guest, point.at + SLICE, bring);
            expect(waits).toBeGreaterThan(5);
            const [ram] = guest.spaces;
            const absent = Array.from({ length: ram!.pages }, (_, page) => page).filter((page) =>
              ram!.lazy?.isAbsent(page),
            );
            expect(absent.length).toBeGreaterThan(ram!.pages / 2);
            for (const page of absent) point.checkpoint.supply({ space: ram!, page });
            expect(fingerprint(guest)).toBe(point.after);
          },
        ),
        { numRuns: 6 },
      );
    }, 120_000);

    test('remembers what it used', () => {
      const { checkpoint, at } = points[cuts.length - 1]!;
      const wanted = new Set<number>();
      const lazily = (): Guest => {
        const guest = image.createShell(definition(image));
        guest.provideFiles?.(image.files);
        checkpoint.applyState(guest);
        return guest;
      };
      const first = lazily();
      runLazily(first, at + SLICE, (pages) => {
        for (const each of pages) {
          checkpoint.supply(each);
          if (each.space.name === 'ram') wanted.add(each.page);
        }
      });
      const used = first.spaces[0]?.lazy?.used() ?? [];
      expect(used).toEqual([...wanted].sort((a, b) => a - b));
      // With these pages there, the same run waits for none.
      const second = lazily();
      for (const page of used) checkpoint.supply({ space: second.spaces[0]!, page });
      expect(
        runLazily(second, at + SLICE, (pages) => {
          for (const each of pages) checkpoint.supply(each);
        }),
      ).toBe(0);
    }, 60_000);
  });
});
