// The V extension, version 1.0: VLEN is 128 bits, ELEN 64.
import { extension } from '../instruction';
import { configuration } from './configuration';
import { fixedPoint } from './fixed-point';
import { floatingPoint } from './floating-point';
import { integer } from './integer';
import { loadsAndStores } from './loads-stores';
import { masks } from './masks';
import { permutations } from './permutations';
import { reductions } from './reductions';

export const v = extension('v', [
  ...configuration,
  ...loadsAndStores,
  ...integer,
  ...fixedPoint,
  ...floatingPoint,
  ...reductions,
  ...masks,
  ...permutations,
]);
