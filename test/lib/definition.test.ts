/** lib has its own writer of definitions, since it may not import the engine: here the two are held together. */
import type {
  ContainerDefinition,
  DiskFile,
  GuestDefinition,
  ImageFile,
  MachineDefinition,
  ParavirtDefinition,
} from '../../engine/models/guest';
import type { Definition, DiskEntry, FileEntry } from '../../lib/definition';

/** `true` when the engine takes whatever lib writes. */
type Takes<Contract, Written> = [Written] extends [Contract] ? true : never;
/** `true` when both know the same fields: a field that one of them forgot shows here. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
type Written<Model extends Definition['model']> = Extract<Definition, { model: Model }>;

test('the definition has the shape of the engine’s contract', () => {
  // Type-checked; there is nothing to run.
  const proofs: readonly true[] = [
    true satisfies Takes<GuestDefinition, Definition>,
    true satisfies Same<GuestDefinition['model'], Definition['model']>,
    true satisfies Same<keyof MachineDefinition, keyof Written<'machine'>>,
    true satisfies Same<keyof ParavirtDefinition, keyof Written<'paravirt'>>,
    true satisfies Same<keyof ContainerDefinition, keyof Written<'container'>>,
    true satisfies Same<keyof ImageFile, keyof FileEntry>,
    true satisfies Same<keyof DiskFile, keyof DiskEntry>,
  ];
  expect(proofs).not.toContain(false);
});
