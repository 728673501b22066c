/**
 * A porting rule, as data: which function, what its code must look like,
 * what takes its place, and why.
 *
 * A shape is blocks of assembly lines, as the disassembler prints them. In a line
 *
 * - `name:` in front gives the line's place a name;
 * - `{name}` instead of a displacement gives the place where it leads a name, or must lead to the place of that name;
 * - `*` stands for any operand;
 * - `call SYMBOL` and `tail SYMBOL` are `auipc` and `jalr` to that function.
 *
 * Blocks are matched in their order; `entry` is where the symbol points, each
 * other block begins at a place named before. Only bytes that a block has
 * verified are replaced, in place: no code moves, and nothing that the kernel
 * refers to changes its address.
 */

export interface Variant {
  readonly shape: Readonly<Record<string, readonly string[]>>;
  readonly replace: Readonly<Record<string, readonly string[]>>;
  /**
   * Places of instructions that may fault on a user's pointer, and where the
   * kernel has to go on then: its exception table must already say so.
   */
  readonly faults?: Readonly<Record<string, string>>;
}

export interface Rule {
  /** As the report calls it. */
  readonly name: string;
  /** Symbols of the function; the first that the kernel has is looked at. */
  readonly symbols: readonly string[];
  /** What is gained, for the report. */
  readonly reason: string;
  /** What it means that the kernel has none of the symbols. */
  readonly absent?: string;
  /** For the kernels that are known; the first that fits is used. */
  readonly variants: readonly Variant[];
}
