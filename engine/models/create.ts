/** The one way from a definition to a guest. */
import { type Guest, type GuestDefinition, type GuestFiles, type HostServices, ImageError } from './guest';
import { Machine } from './machine/machine';

type ModelFactory = (definition: GuestDefinition, files: GuestFiles, host: HostServices) => Guest;

const factories: Readonly<Record<GuestDefinition['model'], ModelFactory>> = {
  machine: (definition, files, host) => new Machine(definition, files, host),
};

/** @throws ImageError when the definition or its files cannot become a guest. */
export type GuestFactory = (definition: GuestDefinition, files: GuestFiles) => Guest;

/** The factory of a caller's guests, given what they need of its surroundings. */
export const guestFactory =
  (host: HostServices): GuestFactory =>
  (definition, files) =>
    createGuest(definition, files, host);

function createGuest(definition: GuestDefinition, files: GuestFiles, host: HostServices): Guest {
  const factory = factories[definition.model] as ModelFactory | undefined;
  if (!factory) {
    throw new ImageError(
      `unknown model "${definition.model}"; known are ${Object.keys(factories).join(', ')}`,
    );
  }
  return factory(definition, files, host);
}
