/** The list of mapped areas against the simplest model of it: a map from page to what is mapped there. */
import fc from 'fast-check';
import { AreaList } from '../../../engine/models/container/mm/area';

const PAGE = 4096;
const PAGES = 40;

const range = fc.tuple(fc.nat(PAGES - 1), fc.integer({ min: 1, max: 8 }));
const step = fc.oneof(
  fc.record({ kind: fc.constant('map' as const), range, prot: fc.constantFrom(1, 3, 5) }),
  fc.record({ kind: fc.constant('unmap' as const), range }),
);

test('maps and unmaps leave what a page table would, merged where neighbours are alike', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (steps, wanted) => {
      const list = new AreaList();
      const model = new Map<number, number>();
      for (const one of steps) {
        const [first, count] = one.range;
        const [start, end] = [first * PAGE, (first + count) * PAGE];
        list.remove(start, end);
        for (let page = first; page < first + count; page++) model.delete(page);
        if (one.kind === 'unmap') continue;
        list.insert({ start, end, prot: one.prot, offset: 0, label: '' });
        for (let page = first; page < first + count; page++) model.set(page, one.prot);
      }
      for (let page = 0; page < PAGES + 10; page++) {
        expect(list.find(page * PAGE + 7)?.prot).toBe(model.get(page));
      }
      list.all.forEach((area, i) => {
        const before = list.all[i - 1];
        expect(area.start).toBeLessThan(area.end);
        if (before) expect(before.end < area.start || before.prot !== area.prot).toBe(true);
      });
      // The gap is the highest that the model has.
      const free = (page: number): boolean => {
        for (let i = page; i < page + wanted; i++) if (model.has(i)) return false;
        return true;
      };
      let highest: number | undefined;
      for (let page = 0; page + wanted <= PAGES; page++) if (free(page)) highest = page * PAGE;
      expect(list.gapBelow(PAGES * PAGE, wanted * PAGE, 0)).toBe(highest);
      expect(list.covers(0, wanted * PAGE)).toBe(
        Array.from({ length: wanted }, (_, i) => model.has(i)).every(Boolean),
      );
    }),
    { numRuns: 500 },
  );
});
