/** What can go wrong with stored state, as types: callers decide by class, users read the message. */

/**
 * A pack that is missing, damaged or somebody else's. The guest is never run
 * on what such a pack would have held.
 */
export class CorruptPackError extends Error {
  override readonly name = 'CorruptPackError';
  constructor(
    readonly guest: string,
    /** The generation that was being restored. */
    readonly generation: number,
    /** The pack as the table names it, or `root` for the generation's own record. */
    readonly pack: string,
    /** What was found in its place. */
    readonly found: string,
  ) {
    super(
      `guest "${guest}", generation ${generation}: pack ${pack} is corrupt: ${found}. ` +
        `The guest was not run on it; restore the item from a backup of the table, or go back to an earlier generation.`,
    );
  }
}

/** An item that would not fit into the table. A bound of this code was broken, not one of the user's. */
export class ItemSizeError extends Error {
  override readonly name = 'ItemSizeError';
  constructor(pk: string, sk: string, bytes: number, limit: number) {
    super(
      `item ${pk} / ${sk} has ${bytes} bytes, and the table takes at most ${limit}: store less under one key`,
    );
  }
}

/** The table answered with throttles or failures until there was no time left. The work is repeated later. */
export class StoreDeadlineError extends Error {
  override readonly name = 'StoreDeadlineError';
  constructor(operation: string, attempts: number, cause: unknown) {
    super(
      `${operation} did not succeed in ${attempts} attempts before the deadline: raise the table's throughput or ` +
        `the function's timeout (last answer: ${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    );
  }
}

/** What a caller handed in cannot be stored: names the input, the rule and the fix. */
export class InputError extends Error {
  override readonly name = 'InputError';
}
