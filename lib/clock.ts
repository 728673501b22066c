import { CommonDefinition } from './definition';

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
  /**
   * Time is the wall clock's, randomness is the worker's. What servers want. Time goes on while no worker runs the
   * guest; what it missed is made up for in strides, so that no watchdog in it takes fright.
   */
  public static real(): GuestClock {
    return new GuestClock('real', undefined, undefined);
  }

  /**
   * Time stands still while the guest wants to run and does not: it is suspended, or waits for a worker. Idle time
   * counts up to the guest's next timer, so a sleep ends when it should and no timer is ever late; its wall clock lags.
   * Randomness is the worker's. What measures its own work wants this.
   */
  public static suspended(): GuestClock {
    return new GuestClock('suspended', undefined, undefined);
  }

  /**
   * Time is a function of retired instructions, and randomness of a seed: the same image and inputs give
   * bit-identical checkpoints, wherever the run is cut into slices.
   */
  public static deterministic(options: DeterministicClockOptions = {}): GuestClock {
    return new GuestClock('deterministic', options.seed ?? 0, options.sliceInstructions);
  }

  /** Whether time is derived from retired instructions. */
  public readonly isDeterministic: boolean;

  private constructor(
    /**
     * As the guest's definition names it.
     *
     * @internal
     */
    public readonly _kind: CommonDefinition['clock'],
    /** The seed; undefined for the real clock. */
    public readonly seed: number | undefined,
    /** Instructions of a slice at most; undefined when time alone ends it. */
    public readonly sliceInstructions: number | undefined,
  ) {
    this.isDeterministic = _kind === 'deterministic';
  }
}
