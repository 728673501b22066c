/**
 * The guest's definition: the JSON asset that tells the worker what a guest is made of. It is the engine's
 * contract `GuestDefinition`; constructs import nothing of the engine, so the shape is written down here once
 * more, and test/lib/definition.test.ts holds the two together.
 */

/** One file of the image in the assets bucket. */
export interface FileEntry {
  /** S3 key in the assets bucket. */
  readonly key: string;
  /** Base name as the user gave it, for messages. */
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface Definition {
  readonly version: 1;
  readonly model: 'machine';
  /** Bytes. */
  readonly memory: number;
  readonly cpu?: readonly string[];
  readonly clock: 'real' | 'deterministic';
  readonly seed?: number;
  readonly firmware?: FileEntry;
  readonly kernel?: FileEntry;
  readonly initrd?: FileEntry;
  readonly commandLine?: string;
  readonly disks?: readonly FileEntry[];
  readonly sliceInstructions?: number;
  readonly breaker?: { readonly maxSlices?: number; readonly maxInstructions?: number };
}

/** The asset's text: readable, and equal for equal definitions, since its hash is the asset's key. */
export function definitionText(definition: Definition): string {
  return JSON.stringify(definition, undefined, 2) + '\n';
}
