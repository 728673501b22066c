import { closingLine, jestCounts, sum } from '../../scripts/checks/counts';

const none = { passed: 0, failed: 0, skipped: 0 };

test('the closing line names skips only when there are', () => {
  expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(closingLine({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
});

test('a jest that failed never counts as passed', () => {
  const report = JSON.stringify({ ...none, passed: 5 });
  expect(jestCounts(0, report)).toEqual({ ...none, passed: 5 });
  expect(jestCounts(1, report)).toEqual({ ...none, passed: 5, failed: 1 });
  expect(jestCounts(1, JSON.stringify({ ...none, failed: 2 }))).toEqual({ ...none, failed: 2 });
  expect(jestCounts(0, undefined)).toEqual({ ...none, failed: 1 });
});

test('counts add up', () => {
  expect(sum([{ ...none, passed: 1 }, { passed: 2, failed: 3, skipped: 4 }, none])).toEqual({
    passed: 3,
    failed: 3,
    skipped: 4,
  });
});
