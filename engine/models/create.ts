/** The one way from a definition to a guest. */
import { Container } from './container/container';
import { type Guest, type GuestDefinition, type GuestFiles, type HostServices, ImageError } from './guest';
import { Machine } from './machine/machine';
import { ParavirtMachine } from './paravirt/machine';

type Model = GuestDefinition['model'];
type ModelFactory<M extends Model> = (
  definition: Extract<GuestDefinition, { model: M }>,
  files: GuestFiles | undefined,
  host: HostServices,
) => Guest;

const factories: { readonly [M in Model]?: ModelFactory<M> } = {
  machine: (definition, files, host) => new Machine(definition, files, host),
  paravirt: (definition, files, host) => new ParavirtMachine(definition, files, host),
  container: (definition, files, host) => new Container(definition, files ?? {}, host),
};

/** Whether a guest can be made without its files, to be restored and run before they are wanted. */
export const canWaitForFiles = ({ model }: GuestDefinition): boolean => model !== 'container';

/**
 * Without `files` the guest is one to be restored, whose pages are absent; see `canWaitForFiles`.
 * @throws ImageError when the definition or its files cannot become a guest.
 */
export type GuestFactory = (definition: GuestDefinition, files: GuestFiles | undefined) => Guest;

/** The factory of a caller's guests, given what they need of its surroundings. */
export const guestFactory =
  (host: HostServices): GuestFactory =>
  (definition, files) =>
    createGuest(definition, files, host);

function createGuest(definition: GuestDefinition, files: GuestFiles | undefined, host: HostServices): Guest {
  // The row's type follows from the definition's model, which TypeScript cannot see.
  const factory = factories[definition.model] as ModelFactory<Model> | undefined;
  if (!factory) {
    throw new ImageError(
      `unknown model "${definition.model}"; known are ${Object.keys(factories).join(', ')}`,
    );
  }
  return factory(definition as never, files, host);
}
