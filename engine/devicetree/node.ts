/**
 * A device tree as data: nodes, properties, and references between nodes that
 * become phandles when the tree is built (blob.ts).
 *
 * Reference: Devicetree Specification 0.4, chapter 2.
 */

/** The phandle of the node that carries this label. */
export interface Reference {
  readonly label: string;
}
export const reference = (label: string): Reference => ({ label });

/** A sequence of 32-bit cells. */
export interface Cells {
  readonly cells: readonly (number | Reference)[];
}

/**
 * Cells of a property: a number is one cell (unsigned 32 bits), a bigint two
 * (unsigned 64 bits, high half first), a reference the phandle of its node.
 * @throws RangeError for a number that is no unsigned 32-bit value, or a bigint that is no 64-bit one
 */
export function cells(...values: readonly (number | bigint | Reference)[]): Cells {
  return {
    cells: values.flatMap((value): (number | Reference)[] => {
      if (typeof value === 'object') return [value];
      const limit = typeof value === 'number' ? 2 ** 32 : 2n ** 64n;
      if (!(value >= 0 && value < limit) || (typeof value === 'number' && !Number.isInteger(value))) {
        throw new RangeError(
          `${value} does not fit into ${typeof value === 'number' ? 'one cell' : 'two cells'}`,
        );
      }
      return typeof value === 'number' ? [value] : [Number(value >> 32n), Number(value & 0xffffffffn)];
    }),
  };
}

/** `true` is a property without a value; a list of strings is stored one after the other, each with its NUL. */
export type PropertyValue = true | string | readonly string[] | Uint8Array | Cells;

export interface DeviceTreeNode {
  /** With its unit address, e.g. `serial@10000000`; empty for the root. */
  readonly name: string;
  /** What `reference` finds it by; unique in the tree. */
  readonly label?: string;
  /** In the order in which they are stored; undefined ones are left out. */
  readonly properties?: Readonly<Record<string, PropertyValue | undefined>>;
  readonly children?: readonly DeviceTreeNode[];
}

/** A tree that breaks a rule of the format: names the node or property and the rule. */
export class DeviceTreeError extends Error {
  override readonly name = 'DeviceTreeError';
}
