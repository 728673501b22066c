/** What two guests that should be equal do not have in common, in words. */
import { cellName } from '../../cpu/cell-names';
import { HART_CELLS } from '../../cpu/hart';
import { hexadecimal } from '../../cpu/inspection';
import * as at from '../../cpu/layout';
import type { Exit, Guest } from '../guest';
import { type PairedSpace, sameBytes } from './paired-space';

export interface Difference {
  readonly what: string;
  readonly interpreter: string;
  readonly translator: string;
}

/** What a run has brought: why it ended, and what the guest has said. */
export interface Outcome {
  readonly exit: Exit;
  readonly output: Uint8Array;
  readonly results: readonly Uint8Array[];
}

export interface Side {
  readonly guest: Guest;
  readonly outcome: Outcome;
}

/** RAM of all models begins here. */
const RAM_BASE = 0x80000000;
/** More of a kind are not told one by one. */
const MOST = 12;

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}` : each));
const bytesText = (bytes: Uint8Array): string => JSON.stringify(String.fromCharCode(...bytes.slice(0, 80)));

const sameResults = (one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean =>
  one.length === other.length && one.every((each, i) => sameBytes(each, other[i]!));

/** Whether all is equal: quick, as it nearly always is. */
export function isEqual(left: Side, right: Side, spaces: readonly PairedSpace[]): boolean {
  return (
    left.guest.instructions === right.guest.instructions &&
    textOf(left.outcome.exit) === textOf(right.outcome.exit) &&
    sameBytes(left.outcome.output, right.outcome.output) &&
    sameResults(left.outcome.results, right.outcome.results) &&
    sameBytes(left.guest.save(), right.guest.save()) &&
    spaces.every((space, i) => space.firstDifference(right.guest.spaces[i]) === undefined)
  );
}

export function differences(left: Side, right: Side, spaces: readonly PairedSpace[]): readonly Difference[] {
  const found: Difference[] = [];
  const note = (what: string, interpreter: string, translator: string): void => {
    if (interpreter !== translator) found.push({ what, interpreter, translator });
  };
  note('exit', textOf(left.outcome.exit), textOf(right.outcome.exit));
  note('instructions', `${left.guest.instructions}`, `${right.guest.instructions}`);
  note('console output', bytesText(left.outcome.output), bytesText(right.outcome.output));
  note('results', `${left.outcome.results.length}`, `${right.outcome.results.length}`);
  noteHarts(left.guest, right.guest, note);
  spaces.forEach((space, i) => noteSpace(space, right.guest.spaces[i]!, note));
  const [mine, theirs] = [left.guest.save(), right.guest.save()];
  if (found.length === 0 && !sameBytes(mine, theirs)) {
    const place = mine.findIndex((byte, i) => byte !== theirs[i]);
    note(`saved state of devices or kernel, at byte ${place}`, `${mine[place]}`, `${theirs[place]}`);
  }
  return found;
}

type Note = (what: string, interpreter: string, translator: string) => void;

function noteHarts(left: Guest, right: Guest, note: Note): void {
  const [mine, theirs] = [left.inspection, right.inspection];
  if (!mine || !theirs) return;
  note('hart that runs', `${mine.harts.current}`, `${theirs.harts.current}`);
  for (let hart = 0; hart < mine.harts.count; hart++) {
    const owner = mine.harts.count > 1 ? `hart ${hart}: ` : '';
    for (let cell = at.X; cell < at.X + HART_CELLS; cell += 8) {
      const [value, other] = [mine.cell(cell, hart), theirs.cell(cell, hart)];
      if (value !== other) note(owner + cellName(cell), hexadecimal(value), hexadecimal(other));
    }
  }
  const [tlbs, otherTlbs] = [mine.tlbs, theirs.tlbs];
  if (!sameBytes(tlbs, otherTlbs)) note('TLBs', `${tlbs.length} bytes`, `${otherTlbs.length} bytes, others`);
}

function noteSpace(space: PairedSpace, right: Guest['spaces'][number], note: Note): void {
  const page = space.firstDifference(right);
  if (page === undefined) return;
  const [mine, theirs] = space.bytes(page, right).map((bytes) => new DataView(bytes.slice().buffer));
  let count = 0;
  for (let offset = 0; offset < mine!.byteLength && count < MOST; offset += 8) {
    const [value, other] = [mine!.getBigUint64(offset, true), theirs!.getBigUint64(offset, true)];
    if (value === other) continue;
    const where =
      space.name === 'ram'
        ? `RAM at ${(RAM_BASE + page * 4096 + offset).toString(16)}`
        : `${space.name}, page ${page}, byte ${offset}`;
    note(where, hexadecimal(value), hexadecimal(other));
    count++;
  }
  if (count === 0) note(`page ${page} of ${space.name}`, 'changed, or not', 'the other way round');
}
