import type { EngineStatistics } from '../../engine/models/guest';
import { profileReport } from '../../cli/profile-report';

const statistics: EngineStatistics = {
  counts: { regions: 2, instructions: 90, bytes: 5000, modules: 1, dropped: 0, flushed: 3 },
  milliseconds: 12.3,
  compilerFailure: 'its thread ended with code 1, which is a long story to tell in one line of a report',
  taken: 1000,
  samples: [
    { offset: 0x200010, pc: 0xffffffff80000010n, privilege: 1, count: 600 },
    { offset: undefined, pc: 0x3f00001234n, privilege: 0, count: 100 },
    ...Array.from({ length: 60 }, (_, i) => ({
      offset: 0x1000 * i,
      pc: 0x80000000n + BigInt(0x1000 * i),
      privilege: 3,
      count: 5,
    })),
  ],
  observed: {
    exits: 1000,
    instructions: 750_000,
    causes: new Map([
      ['jump to interpreted code', 61],
      ['interpreted: csrrw', 183],
    ]),
  },
};

test('the report is 80 columns wide, largest first, and sums up the rest', () => {
  const exits = { 'ecall-user': 1_234_567, wfi: 7 };
  const report = profileReport({ instructions: 1_000_000, exits, statistics, symbols: undefined });
  const lines = report.trimEnd().split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(report).toContain('translated   750,000, 75.0%\n  interpreted  250,000, 25.0%');
  expect(report).toContain('3 evictions');
  expect(report).toContain(
    '\n  60.0%  S  0xffffffff80000000, its page\n  10.0%  U  0x3f00001000, its page\n',
  );
  // 23 of those in M-mode have a line of their own.
  expect(report).toContain('\n  18.5%  37 others\n');
  expect(report).toContain('one in 750 instructions\n  75.0%  interpreted: csrrw\n  25.0%  jump to');
  expect(report).toContain('\n   1,234,567  ecall-user\n           7  wfi\n');
});

test('the kernel’s symbols name its code, and its alone', () => {
  const symbols = (physical: number) => (physical >= 0x80200000 ? 'memset+0x10' : undefined);
  const report = profileReport({ instructions: 1, exits: {}, statistics, symbols });
  expect(report).toContain('\n  60.0%  S  memset\n  10.0%  U  0x3f00001000, its page\n');
});
