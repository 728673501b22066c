/** What executed a guest's instructions, for people: `hv run --profile`. */
import type { Sample } from './samples';

export interface TranslationCounts {
  /** Translated, ever. */
  regions: number;
  /** Instructions in them. */
  instructions: number;
  /** Of WebAssembly. */
  bytes: number;
  modules: number;
  /** Regions whose code was written to. */
  dropped: number;
  /** How often everything was dropped for the cap. */
  flushed: number;
}

export interface EngineStatistics {
  readonly counts: Readonly<TranslationCounts>;
  /** Spent on translating in the guest's own thread; zero unless somebody profiles. */
  readonly milliseconds: number;
  /** Why there is no other thread that compiles, if there was one. */
  readonly compilerFailure: string | undefined;
  /** Where the guest was found, each time that a sample was taken. */
  readonly samples: readonly Readonly<Sample>[];
  readonly taken: number;
  /** Undefined unless somebody profiles. */
  readonly observed:
    | {
        /** From translated code to the interpreter. */
        readonly exits: number;
        /** Executed by translated code. */
        readonly instructions: number;
        /** Exits by cause: estimates. */
        readonly causes: ReadonlyMap<string, number>;
      }
    | undefined;
}
