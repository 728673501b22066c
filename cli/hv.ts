#!/usr/bin/env node
/** Entry of the command `hv`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { guestFactory } from '../engine/models/create';
import type { GuestDefinition, GuestFiles } from '../engine/models/guest';
import { hostServices } from '../lambdas/surroundings/host-services';
import { main } from './program';
import type { ChosenServices } from './run';
import { openState } from './state/host-state';

/** Counted from one reading of the system clock, so that setting the clock does not make guest time jump. */
const wallNanoseconds = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;

/** Version of the package, whether this runs from the sources or from `dist/cli`. */
function version(): string {
  for (const up of ['..', '../..']) {
    try {
      const { name, version: found } = JSON.parse(
        readFileSync(join(__dirname, up, 'package.json'), 'utf8'),
      ) as {
        name?: string;
        version?: string;
      };
      if (name === 'cdk-hypervisor' && found !== undefined) return found;
    } catch {
      // not here
    }
  }
  return 'unknown';
}

void main(
  process.argv.slice(2),
  {
    createGuest: (
      definition: GuestDefinition,
      files: GuestFiles | undefined,
      services: ChosenServices = {},
    ) => guestFactory({ ...hostServices, now: wallNanoseconds, ...services })(definition, files),
    openState: (flags) => openState(flags, process.env),
    host: process,
    clock: { wallNanoseconds, monotonicMilliseconds: () => performance.now() },
    // Not process.exit at once: output that a pipe has not taken yet must get through. But a reader that takes
    // nothing must not hold us for ever.
    exit: (status) => {
      process.exitCode = status;
      setTimeout(() => process.exit(), 1000).unref();
    },
  },
  version(),
);
