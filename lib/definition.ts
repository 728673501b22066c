/**
 * The guest's definition: the JSON asset that tells the worker what a guest is made of. It is the engine's
 * contract `GuestDefinition`; constructs import nothing of the engine, so the shape is written down here once
 * more, and test/lib holds the two together.
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

/** What the definitions of all models share. */
export interface CommonDefinition {
  readonly version: 1;
  /** Bytes. */
  readonly memory: number;
  readonly cpu?: readonly string[];
  readonly clock: 'real' | 'suspended' | 'deterministic';
  readonly seed?: number;
  readonly sliceInstructions?: number;
  readonly breaker?: {
    readonly maxSlices?: number;
    readonly maxInstructions?: number;
    readonly maxSlicesPerDay?: number;
    readonly maxSecondsPerDay?: number;
    readonly maxDollarsPerDay?: number;
  };
}

/** What a machine of its own kind has besides. */
export interface MachineParts {
  readonly model: 'machine';
  readonly harts?: number;
  readonly firmware?: FileEntry;
  readonly kernel?: FileEntry;
  readonly initrd?: FileEntry;
  readonly commandLine?: string;
  readonly disks?: readonly FileEntry[];
}

export interface ParavirtParts {
  readonly model: 'paravirt';
  readonly harts?: number;
  readonly kernel?: FileEntry;
  readonly initrd?: FileEntry;
  readonly commandLine?: string;
  readonly disks?: readonly FileEntry[];
  readonly port?: boolean;
}

export interface ContainerParts {
  readonly model: 'container';
  readonly layers: readonly FileEntry[];
  readonly command: readonly string[];
  readonly onEvent?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly hostname?: string;
  readonly pids?: number;
}

/** The part of a definition that its model decides. */
export type ModelParts = MachineParts | ParavirtParts | ContainerParts;

export type Definition = CommonDefinition & ModelParts;

/** The asset's text: readable, and equal for equal definitions, since its hash is the asset's key. */
export function definitionText(definition: Definition): string {
  return JSON.stringify(definition, undefined, 2) + '\n';
}
