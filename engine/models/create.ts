/** From a definition to a guest: the one place that knows which models there are. */
import { ImageError, type Guest, type GuestDefinition, type GuestFiles } from './guest';

/** @throws ImageError when the image cannot become a guest. */
export type GuestFactory = (definition: GuestDefinition, files: GuestFiles) => Guest;

export const createGuest: GuestFactory = (definition) => {
  throw new ImageError(`model "${definition.model}" is not part of this build: use a build that has it`);
};
