/** Which reference proves which entry of the instruction table: derived from the streams' targets. */
import { chooseExtensions } from '../../engine/isa/extensions';
import type { Instruction } from '../../engine/isa/instruction';
import { base, instructionsOf, optional } from '../../engine/isa/table';
import type { Stream } from './program';
import type { ReferenceName } from './references';
import { streams } from './streams';
import { standard } from './target';

const tables = new Map<string, readonly Instruction[]>();

/** The entries that a hart with these extensions has. */
export function tableOf(extensions: readonly string[]): readonly Instruction[] {
  const key = extensions.join();
  const table = tables.get(key) ?? instructionsOf(chooseExtensions(extensions));
  tables.set(key, table);
  return table;
}

const targetOf = ({ target = standard }: Stream): typeof standard => target;

/** The reference whose streams are to execute an entry; undefined where no stream may. The fast one before the other. */
export function proverOf(entry: Instruction): ReferenceName | undefined {
  const names = new Set(
    streams
      .map(targetOf)
      .filter(({ extensions }) => tableOf(extensions).includes(entry))
      .map(({ reference }) => reference.name),
  );
  return names.has('qemu') ? 'qemu' : [...names][0];
}

let all: readonly Instruction[] | undefined;

/** Every entry whose reference is on this machine, and every one that has none. */
export function entries(): readonly Instruction[] {
  all ??= [...new Set([...base, ...optional].flatMap(({ instructions }) => instructions))].filter((entry) => {
    const prover = proverOf(entry);
    return (
      prover === undefined ||
      streams.some(
        (stream) =>
          targetOf(stream).reference.name === prover &&
          targetOf(stream).reference.requirement.missing === undefined,
      )
    );
  });
  return all;
}
