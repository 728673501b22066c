/** `hv run --profile`: what executed the guest's instructions and where, as text of at most 80 columns. */
import type { EngineStatistics, ExitCounts } from '../engine/models/guest';
import { RAM_BASE } from '../engine/models/machine/memory-map';

const WIDTH = 80;
/** Lines of each list. */
const PLACES = 25;
const CAUSES = 15;

export interface Profiled {
  readonly instructions: number;
  readonly exits: ExitCounts;
  readonly statistics: EngineStatistics;
  /** What lies at a physical address, by the kernel's own symbol table: `name+0x12`. */
  readonly symbols: ((physical: number) => string | undefined) | undefined;
}

const number = (value: number): string => value.toLocaleString('en-US');
const percent = (part: number, whole: number): string =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`;
const modes: Readonly<Record<number, string>> = { 0: 'U', 1: 'S', 3: 'M' };

export function profileReport(profiled: Profiled): string {
  const { instructions, statistics, exits } = profiled;
  const lines = [
    `profile of ${number(instructions)} instructions`,
    ...translated(profiled),
    '',
    `where they were executed: ${number(statistics.taken)} samples, one in a million or more`,
    ...places(profiled),
    ...causes(statistics),
    '',
    'traps and exits of the guest, counted',
    ...list(Object.entries(exits), (count) => number(count), 12),
  ];
  return `${lines.map((line) => line.slice(0, WIDTH).trimEnd()).join('\n')}\n`;
}

function translated({ instructions, statistics }: Profiled): string[] {
  const { counts, observed, milliseconds, compilerFailure } = statistics;
  const executed = observed?.instructions ?? 0;
  return [
    `  translated   ${number(executed)}, ${percent(executed, instructions)}`,
    `  interpreted  ${number(instructions - executed)}, ${percent(instructions - executed, instructions)}`,
    `  regions      ${number(counts.regions)} of ${number(counts.instructions)} instructions; ` +
      `${number(counts.dropped)} dropped`,
    `  modules      ${number(counts.modules)}, ${number(Math.ceil(counts.bytes / 1024))} KiB; ` +
      `${number(counts.flushed)} evictions`,
    `  translating  ${milliseconds.toFixed(0)} ms of the guest's thread`,
    ...(compilerFailure === undefined ? [] : [`  no compiler  ${compilerFailure}`]),
  ];
}

function places({ statistics: { samples, taken }, symbols }: Profiled): string[] {
  const counts = new Map<string, number>();
  for (const { offset, pc, privilege, count } of samples) {
    const symbol = offset === undefined || privilege === 0 ? undefined : symbols?.(RAM_BASE + offset);
    const place = symbol?.replace(/\+0x.*/, '') ?? `0x${(pc & ~0xfffn).toString(16)}, its page`;
    const key = `${modes[privilege] ?? '?'}  ${place}`;
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  return list([...counts], (count) => percent(count, taken), 7, PLACES);
}

function causes({ observed }: EngineStatistics): string[] {
  if (!observed || observed.exits === 0) return [];
  const total = [...observed.causes.values()].reduce((sum, count) => sum + count, 0);
  return [
    '',
    `exits from translated code: ${number(observed.exits)}, one in ` +
      `${number(Math.round(observed.instructions / observed.exits))} instructions`,
    ...list([...observed.causes], (count) => percent(count, total), 7, CAUSES),
  ];
}

/** The largest first; what is left is summed up. */
function list(
  counts: readonly (readonly [string, number])[],
  show: (count: number) => string,
  width: number,
  most = Infinity,
): string[] {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const rest = sorted.slice(most);
  const lines = sorted.slice(0, most).map(([what, count]) => `${show(count).padStart(width)}  ${what}`);
  if (rest.length === 0) return lines;
  const others = rest.reduce((sum, [, count]) => sum + count, 0);
  return [...lines, `${show(others).padStart(width)}  ${number(rest.length)} others`];
}
