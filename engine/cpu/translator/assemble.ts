/**
 * From regions to the bytes of a WebAssembly module. A function of its
 * arguments alone, so that it can run wherever there is time: in the thread
 * that runs the guest, or in another (compiler.ts).
 */
import type { Callee } from '../../wasm/module-builder';
import { ModuleBuilder } from '../../wasm/module-builder';
import { helpers } from '../helpers';
import { regionSignature } from './convention';
import { emitRegion } from './function';
import type { Region } from './region';

export interface PlacedRegion {
  /** Place in linear memory of its entry. */
  readonly place: number;
  readonly region: Region;
}

/** A module whose instance puts each region into the table, at the slot of its place. */
export function assemble(
  batch: readonly PlacedRegion[],
  slotOf: (place: number) => number,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 1);
  module.importTable('env');
  const used = new Set(
    batch.flatMap(({ region }) =>
      region.blocks.flatMap(({ steps }) => steps.flatMap(({ facts }) => [...facts.helpers])),
    ),
  );
  const callees = new Map<string, Callee>();
  for (const name of used)
    callees.set(name, module.importFunction('helpers', name, helpers.get(name)!.signature));
  const type = module.tableType(regionSignature);
  for (const { place, region } of batch)
    module.place(slotOf(place), regionSignature, emitRegion(region, { callees, type, slotOf }));
  return module.bytes();
}

/** Places of a region's indirect jumps. */
export const jumpsOf = ({ blocks, pages }: Region): number[] =>
  blocks
    .filter(({ ending }) => ending.kind === 'indirect')
    .map(({ steps }) => steps[steps.length - 1]!.offset)
    .map((offset) => pages.get(offset >> 12)! + (offset & 0xfff));
