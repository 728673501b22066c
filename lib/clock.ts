/** Options of {@link GuestClock.deterministic}. */
export interface DeterministicClockOptions {
  /**
   * Seed of all randomness that the guest sees; an integer from 0 to 2^32 - 1.
   *
   * @default 0
   */
  readonly seed?: number;

  /**
   * Instructions after which a slice ends, so that it ends at the same instruction wherever it runs.
   *
   * @default - time alone ends a slice
   */
  readonly sliceInstructions?: number;
}

/** Where a guest's time and randomness come from. */
export class GuestClock {
  /** Time is the wall clock's, randomness is the worker's. What servers want. */
  public static real(): GuestClock {
    return new GuestClock(false, undefined, undefined);
  }

  /**
   * Time is a function of retired instructions, and randomness of a seed: the same image and inputs give
   * bit-identical checkpoints, wherever the run is cut into slices.
   */
  public static deterministic(options: DeterministicClockOptions = {}): GuestClock {
    return new GuestClock(true, options.seed ?? 0, options.sliceInstructions);
  }

  private constructor(
    /** Whether time is derived from retired instructions. */
    public readonly isDeterministic: boolean,
    /** The seed; undefined for the real clock. */
    public readonly seed: number | undefined,
    /** Instructions of a slice at most; undefined when time alone ends it. */
    public readonly sliceInstructions: number | undefined,
  ) {}
}
