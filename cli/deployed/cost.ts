/** `hv cost`: what a guest's slices have cost, by the table of prices, and what a month of the same would. */
import type { Command } from 'commander';
import { PRICES } from '../../lambdas/economics/prices';
import type { SliceMetrics } from '../../lambdas/store/store';
import { placeOptions, storeAt, type Place } from './place';

export interface Cost {
  readonly guest: string;
  readonly slices: number;
  readonly instructions: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Hours from the first slice's begin to `until`. */
  readonly hours: number;
  readonly dollars: number;
  /** A month of 730 hours like those so far; undefined before the first hour is over. */
  readonly dollarsAMonth: number | undefined;
}

const HOUR_MS = 3_600_000;
const MONTH_HOURS = 730;

/** `until`: milliseconds since the epoch. Metrics of slices before prices were recorded count as nothing. */
export function costOf(guest: string, metrics: readonly SliceMetrics[], until: number): Cost {
  const sum = (part: (slice: SliceMetrics) => number): number =>
    metrics.reduce((total, slice) => total + part(slice), 0);
  const dollars = sum((slice) => slice.dollars ?? 0);
  const hours = Math.max(0, until - (metrics[0]?.startedAt ?? until)) / HOUR_MS;
  return {
    guest,
    slices: metrics.length,
    instructions: sum((slice) => slice.instructions),
    writeUnits: sum((slice) => slice.writeUnits),
    readUnits: sum((slice) => slice.readUnits),
    hours,
    dollars,
    dollarsAMonth: hours < 1 ? undefined : (dollars / hours) * MONTH_HOURS,
  };
}

export function costText(cost: Cost): string {
  const month =
    cost.dollarsAMonth === undefined
      ? 'a month: known after the first hour'
      : `a month like this: $${cost.dollarsAMonth.toFixed(4)}`;
  return [
    `${cost.guest}: ${cost.slices} slices in ${cost.hours.toFixed(1)} hours, ${cost.instructions} instructions`,
    `  ${cost.writeUnits} write units, ${cost.readUnits} read units`,
    `  $${cost.dollars.toFixed(6)}; ${month} (prices of ${PRICES.date}; storage is not in it)`,
  ].join('\n');
}

export function addCostCommand(program: Command, write: (text: string) => void, now: () => number): void {
  placeOptions(program.command('cost'))
    .description("what a guest's slices have cost, and what a month of the same would")
    .argument('<guest>', 'id of the guest')
    .option('--json', 'print one JSON object')
    .action(async (guest: string, options: Place & { readonly json?: boolean }) => {
      const cost = costOf(guest, await storeAt(options).readMetrics(guest), now());
      write(`${options.json === true ? JSON.stringify(cost) : costText(cost)}\n`);
    });
}
