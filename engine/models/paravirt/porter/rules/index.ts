/** All porting rules, in the order of the report. */
import { idle } from './idle';
import { largeNumbers } from './large-numbers';
import { memory } from './memory';
import type { Rule } from './rule';
import { userCopies } from './user-copies';

export type { Rule, Variant } from './rule';

export const rules: readonly Rule[] = [...memory, ...userCopies, ...idle, ...largeNumbers];
