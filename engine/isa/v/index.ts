// The vector extensions, version 1.0: V and its subsets Zve*, with a VLEN of 128 bits.
import { type Extension, extension } from '../instruction';
import { configuration } from './configuration';
import { fixedPoint } from './fixed-point';
import { floatingPoint } from './floating-point';
import { integer } from './integer';
import { loadsAndStores } from './loads-stores';
import { masks } from './masks';
import { floatPermutations, permutations } from './permutations';
import { floatReductions, reductions } from './reductions';

/** The smallest vector extension brings all integer instructions; a hart's ELEN and formats say which widths they take. */
export const vector: readonly Extension[] = [
  extension('zve32x', [
    ...configuration,
    ...loadsAndStores,
    ...integer,
    ...fixedPoint,
    ...reductions,
    ...masks,
    ...permutations,
  ]),
  extension('zve32f', [...floatingPoint, ...floatReductions, ...floatPermutations]),
];
