import { Duration, Size, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3_assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct, IConstruct } from 'constructs';
import { createHash } from 'crypto';
import * as fs from 'fs';
import { GuestClock } from './clock';
import { checkCount } from './count';
import { checkCpuFeatures } from './cpu-features';
import { DeclarationError } from './declaration-error';
import { CommonDefinition, Definition, definitionText, ModelParts } from './definition';
import type { Host } from './host';
import type { IHost } from './host-base';
import { ImageAssets } from './image/image-assets';
import { MEBIBYTE } from './image/size';
import { writtenAsset } from './image/written-asset';

/** RAM that one guest can have: the engine's 32-bit linear memory of 4 GiB, less what it needs itself. */
const LARGEST_MEMORY = 4092 * MEBIBYTE;
const GUEST_ID = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const LONGEST_DERIVED_ID = 48;

/** One virtual machine, paravirtual machine or container. */
export interface IGuest extends IConstruct {
  /**
   * Name of the guest within its host, as the command `hv` and events address it.
   *
   * @attribute
   */
  readonly guestId: string;

  /** The host that runs the guest. */
  readonly host: IHost;

  /**
   * Lets the grantee send events to the guest. IAM sees only the host's ingress function, so this is a grant for
   * the guest's host; put guests that must not share senders on different hosts.
   */
  grantSend(grantee: iam.IGrantable): iam.Grant;
}

/** What is known of a guest that another app declares. */
export interface GuestAttributes {
  /** The host that runs it. */
  readonly host: IHost;
  /** Its name within the host. */
  readonly guestId: string;
}

/** What a guest may use in all before it is suspended. */
export interface GuestBudget {
  /**
   * Slices.
   *
   * @default - as many as it wants
   */
  readonly slices?: number;

  /**
   * Instructions.
   *
   * @default - as many as it wants
   */
  readonly instructions?: number;

  /**
   * Slices in one day (UTC).
   *
   * @default - as many as it wants
   */
  readonly slicesPerDay?: number;

  /**
   * Time of workers in one day (UTC).
   *
   * @default - as much as it wants
   */
  readonly computePerDay?: Duration;

  /**
   * US dollars in one day (UTC), for compute, requests and writes, at the prices that this version knows. Checked
   * before each slice, so a day may cost one slice more.
   *
   * @default - as many as it wants
   */
  readonly dollarsPerDay?: number;
}

/** What every guest has, whatever its model. */
export interface GuestProps {
  /** The host that runs the guest, in the same stack. */
  readonly host: Host;

  /**
   * RAM of the guest, a multiple of 1 MiB.
   *
   * @default Size.mebibytes(256)
   */
  readonly memory?: Size;

  /**
   * Name of the guest within its host: letters, digits and hyphens, at most 63. The guest's state is kept under
   * it: another name is another guest.
   *
   * @default - derived from the construct's path below its stack
   */
  readonly guestId?: string;

  /**
   * Extensions of the CPU on top of rv64gc, in lower case, e.g. `['rva22', 'sstc']`. A name brings what it needs.
   *
   * @default ['rva22', 'sstc']
   */
  readonly cpuFeatures?: string[];

  /**
   * Where the guest's time and randomness come from.
   *
   * @default GuestClock.real()
   */
  readonly clock?: GuestClock;

  /**
   * The breaker: what the guest may use in all before it is suspended. A busy guest asks for one slice after another
   * for as long as it likes, so this is what bounds its price.
   *
   * @default - no bound
   */
  readonly budget?: GuestBudget;
}

/** Base of the three models. */
export abstract class Guest extends Construct implements IGuest {
  public readonly guestId: string;
  public readonly host: IHost;

  /** RAM of the guest. */
  public readonly memory: Size;

  private readonly owner: Host;
  private readonly common: CommonDefinition;

  constructor(scope: Construct, id: string, props: GuestProps) {
    super(scope, id);
    this.owner = props.host;
    this.host = props.host;
    this.guestId = props.guestId === undefined ? deriveGuestId(this) : checkGuestId(this, props.guestId);
    this.memory = checkMemory(this, props.memory ?? Size.mebibytes(256));
    this.common = describeCommon(this, props);
    if (Stack.of(this) !== Stack.of(props.host)) {
      throw new DeclarationError(
        `host of ${this.node.path}`,
        `the guest is in stack ${Stack.of(this).node.path} and its host in ${Stack.of(props.host).node.path}, but a guest's image is deployed with its host`,
        'Declare both in the same stack',
      );
    }
  }

  public grantSend(grantee: iam.IGrantable): iam.Grant {
    return this.host.grantSend(grantee);
  }

  /**
   * Publishes the guest's definition and hands it to the host.
   *
   * @internal
   */
  protected _deploy(describe: (assets: ImageAssets) => ModelParts): void {
    const assets = new ImageAssets(this);
    const definition = join(this.common, describe(assets));
    const storage = storageOf(definition);
    this.owner._register({
      guestId: this.guestId,
      path: this.node.path,
      memory: definition.memory,
      storage: { kind: storage.kind, bytes: storage.files.reduce((sum, { size }) => sum + size, 0) },
      definition: publishDefinition(this, definition),
      files: assets.assets,
    });
  }
}

/** A guest that another app declares, whatever its model. */
export class ImportedGuest extends Construct implements IGuest {
  public readonly host: IHost;
  public readonly guestId: string;

  constructor(scope: Construct, id: string, attributes: GuestAttributes) {
    super(scope, id);
    this.host = attributes.host;
    this.guestId = attributes.guestId;
  }

  public grantSend(grantee: iam.IGrantable): iam.Grant {
    return this.host.grantSend(grantee);
  }
}

/** What a worker holds in memory besides the guest's RAM. */
function storageOf(definition: Definition): {
  readonly kind: 'disks' | 'layers';
  readonly files: readonly { readonly size: number }[];
} {
  if (definition.model === 'container') return { kind: 'layers', files: definition.layers };
  return { kind: 'disks', files: definition.disks ?? [] };
}

function describeCommon(guest: Guest, props: GuestProps): CommonDefinition {
  const { path } = guest.node;
  const clock = props.clock ?? GuestClock.real();
  const seed = checkSeed(path, clock);
  const cpu = props.cpuFeatures && checkCpuFeatures(`cpuFeatures of ${path}`, props.cpuFeatures);
  const { sliceInstructions } = clock;
  const breaker = checkBudget(guest, props.budget);
  return {
    version: 1,
    memory: guest.memory.toBytes(),
    ...(cpu && { cpu }),
    clock: clock._kind,
    ...(seed !== undefined && { seed }),
    ...(sliceInstructions !== undefined && {
      sliceInstructions: checkCount(`clock.sliceInstructions of ${path}`, sliceInstructions),
    }),
    ...(breaker && { breaker }),
  };
}

/** In the order in which one reads it: what it is, what it has, what bounds it. */
function join(common: CommonDefinition, { model, ...parts }: ModelParts): Definition {
  const { version, sliceInstructions, breaker, ...hardware } = common;
  const definition = {
    version,
    model,
    ...hardware,
    ...parts,
    ...(sliceInstructions !== undefined && { sliceInstructions }),
    ...(breaker && { breaker }),
  };
  // The parts are those of the model, which TypeScript forgets when it takes them apart.
  return definition as Definition;
}

/** The path below the stack, joined by hyphens; where that is no guest id, what is left of it and a hash of the path. */
function deriveGuestId(guest: Guest): string {
  const scopes = guest.node.scopes.slice(Stack.of(guest).node.scopes.length);
  const below = scopes.map((scope) => scope.node.id).filter((id) => id !== 'Default');
  const joined = below.join('-');
  if (joined.length <= LONGEST_DERIVED_ID && GUEST_ID.test(joined)) return joined;
  const readable = joined.replace(/[^A-Za-z0-9]+/g, '-').slice(0, LONGEST_DERIVED_ID);
  const hash = createHash('sha256').update(below.join('/')).digest('hex').slice(0, 8);
  return [...readable.split('-').filter((part) => part !== ''), hash].join('-');
}

function checkGuestId(guest: Guest, guestId: string): string {
  if (Token.isUnresolved(guestId) || !GUEST_ID.test(guestId)) {
    throw new DeclarationError(
      `guestId of ${guest.node.path}`,
      `"${guestId}" is no guest id`,
      'Use 1 to 63 letters, digits and hyphens, known at synth, with no hyphen at either end',
    );
  }
  return guestId;
}

function checkMemory(guest: Guest, memory: Size): Size {
  const input = `memory of ${guest.node.path}`;
  if (memory.isUnresolved()) {
    throw new DeclarationError(
      input,
      'it is not known at synth',
      'Give a literal size, e.g. Size.mebibytes(256)',
    );
  }
  const bytes = memory.toBytes();
  if (bytes < MEBIBYTE || bytes % MEBIBYTE !== 0) {
    const nearest = Math.max(1, Math.ceil(bytes / MEBIBYTE));
    throw new DeclarationError(
      input,
      `${bytes} bytes are not a multiple of 1 MiB`,
      `Set it to Size.mebibytes(${nearest})`,
    );
  }
  if (bytes > LARGEST_MEMORY) {
    throw new DeclarationError(
      input,
      `${bytes / MEBIBYTE} MiB are more than one guest can have`,
      `Set it to Size.mebibytes(${LARGEST_MEMORY / MEBIBYTE}) or less`,
    );
  }
  return memory;
}

function checkBudget(guest: Guest, budget: GuestBudget | undefined): Definition['breaker'] {
  if (budget === undefined || Object.values(budget).every((part) => part === undefined)) return undefined;
  const { slices, instructions, slicesPerDay, computePerDay, dollarsPerDay } = budget;
  const input = (name: string) => `budget.${name} of ${guest.node.path}`;
  return {
    ...(slices !== undefined && { maxSlices: checkCount(input('slices'), slices) }),
    ...(instructions !== undefined && { maxInstructions: checkCount(input('instructions'), instructions) }),
    ...(slicesPerDay !== undefined && { maxSlicesPerDay: checkCount(input('slicesPerDay'), slicesPerDay) }),
    ...(computePerDay !== undefined && { maxSecondsPerDay: computePerDay.toSeconds({ integral: false }) }),
    ...(dollarsPerDay !== undefined && {
      maxDollarsPerDay: checkDollars(input('dollarsPerDay'), dollarsPerDay),
    }),
  };
}

function checkDollars(input: string, dollars: number): number {
  if (Number.isFinite(dollars) && dollars >= 0) return dollars;
  throw new DeclarationError(input, `${dollars} is no amount of money`, 'Give US dollars, 0 or more');
}

function checkSeed(path: string, clock: GuestClock): number | undefined {
  const { seed } = clock;
  if (seed !== undefined && (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)) {
    throw new DeclarationError(
      `clock of ${path}`,
      `the seed ${seed} is no integer from 0 to 2^32 - 1`,
      'Give GuestClock.deterministic another seed',
    );
  }
  return seed;
}

function publishDefinition(guest: Guest, definition: Definition): s3_assets.Asset {
  return writtenAsset(guest, 'Definition', 'definition.json', (descriptor) =>
    fs.writeFileSync(descriptor, definitionText(definition)),
  ).asset;
}
