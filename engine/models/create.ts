/** The one way from a definition to a guest. */
import { type Guest, type GuestDefinition, type GuestFiles, type HostServices, ImageError } from './guest';
import { Machine } from './machine/machine';

type Factory = (definition: GuestDefinition, files: GuestFiles, host: HostServices) => Guest;

const factories: Readonly<Record<GuestDefinition['model'], Factory>> = {
  machine: (definition, files, host) => new Machine(definition, files, host),
};

/** @throws ImageError when the definition or its files cannot become a guest. */
export function createGuest(definition: GuestDefinition, files: GuestFiles, host: HostServices): Guest {
  const factory = factories[definition.model] as Factory | undefined;
  if (!factory) {
    throw new ImageError(`unknown model "${definition.model}"; known are ${Object.keys(factories).join(', ')}`);
  }
  return factory(definition, files, host);
}
