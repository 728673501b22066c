import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { GuestClock } from './clock';
import { checkCpuFeatures } from './cpu-features';
import { DeclarationError } from './declaration-error';
import { checkCount } from './count';
import { Guest, GuestProps, IGuest } from './guest';
import type { IHost } from './host-base';
import { GuestImage } from './image/guest-image';

/** A guest on an imitation of hardware. */
export interface IVirtualMachine extends IGuest {}

/** What is known of a virtual machine that another app declares. */
export interface VirtualMachineAttributes {
  /** The host that runs it. */
  readonly host: IHost;
  /** Its name within the host. */
  readonly guestId: string;
}

/** Properties of a {@link VirtualMachine}. */
export interface VirtualMachineProps extends GuestProps {
  /** What the machine boots. The guest OS is unmodified. */
  readonly image: GuestImage;

  /**
   * Extensions of the CPU on top of rv64gc, in lower case, e.g. `['zba', 'sstc']`.
   *
   * @default - all that the engine has
   */
  readonly cpuFeatures?: string[];

  /**
   * Where the guest's time and randomness come from.
   *
   * @default GuestClock.real()
   */
  readonly clock?: GuestClock;
}

/**
 * A guest that runs on an imitation of the hardware and does not know that it is not real: a machine compatible
 * with QEMU's `virt` for RISC-V. Different guest operating systems run side by side, unmodified.
 */
export class VirtualMachine extends Guest implements IVirtualMachine {
  /** Refers to a virtual machine that another app declares. */
  public static fromVirtualMachineAttributes(
    scope: Construct,
    id: string,
    attributes: VirtualMachineAttributes,
  ): IVirtualMachine {
    return new ImportedVirtualMachine(scope, id, attributes);
  }

  constructor(scope: Construct, id: string, props: VirtualMachineProps) {
    super(scope, id, props);
    const path = this.node.path;
    const clock = props.clock ?? GuestClock.real();
    const seed = checkSeed(path, clock);
    const sliceInstructions =
      clock.sliceInstructions === undefined
        ? undefined
        : checkCount(`clock.sliceInstructions of ${path}`, clock.sliceInstructions);
    const cpu = props.cpuFeatures && checkCpuFeatures(`cpuFeatures of ${path}`, props.cpuFeatures);
    this._deploy((assets) => {
      const image = props.image._source.bind(assets, { guest: path, memory: this.memory.toBytes() });
      if (image.firmware === undefined) {
        throw new DeclarationError(
          `image of ${path}`,
          'a virtual machine starts in M-mode, and the image has no firmware',
          'Give GuestImage.linux the property "firmware", e.g. Debian\'s OpenSBI: VirtualMachine boots it below the kernel',
        );
      }
      return {
        version: 1,
        model: 'machine',
        memory: this.memory.toBytes(),
        ...(cpu && { cpu }),
        clock: clock.isDeterministic ? 'deterministic' : 'real',
        ...(seed !== undefined && { seed }),
        ...image,
        ...(sliceInstructions !== undefined && { sliceInstructions }),
      };
    });
  }
}

class ImportedVirtualMachine extends Construct implements IVirtualMachine {
  public readonly host: IHost;
  public readonly guestId: string;

  constructor(scope: Construct, id: string, attributes: VirtualMachineAttributes) {
    super(scope, id);
    this.host = attributes.host;
    this.guestId = attributes.guestId;
  }

  public grantSend(grantee: iam.IGrantable): iam.Grant {
    return this.host.grantSend(grantee);
  }
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
