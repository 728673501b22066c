import { Construct } from 'constructs';
import { DeclarationError } from './declaration-error';
import { Guest, GuestAttributes, GuestProps, IGuest, ImportedGuest } from './guest';
import { checkHarts } from './harts';
import { GuestImage } from './image/guest-image';

/** A guest on an imitation of hardware. */
export interface IVirtualMachine extends IGuest {}

/** What is known of a virtual machine that another app declares. */
export interface VirtualMachineAttributes extends GuestAttributes {}

/** Properties of a {@link VirtualMachine}. */
export interface VirtualMachineProps extends GuestProps {
  /** What the machine boots. The guest OS is unmodified. */
  readonly image: GuestImage;

  /**
   * CPUs of the guest ("harts"), 1 to 8. They take turns on the worker's one: more of them make nothing faster, but
   * are what software that wants several CPUs is tested on.
   *
   * @default 1
   */
  readonly harts?: number;
}

/**
 * A guest that runs on an imitation of the hardware and does not know that it is not real: a machine compatible
 * with QEMU's `virt` for RISC-V. Different guest operating systems run side by side, unmodified.
 *
 * Events reach it as lines of the virtio port `events`, and each line that it writes there is a result.
 */
export class VirtualMachine extends Guest implements IVirtualMachine {
  /** Refers to a virtual machine that another app declares. */
  public static fromVirtualMachineAttributes(
    scope: Construct,
    id: string,
    attributes: VirtualMachineAttributes,
  ): IVirtualMachine {
    return new ImportedGuest(scope, id, attributes);
  }

  constructor(scope: Construct, id: string, props: VirtualMachineProps) {
    super(scope, id, props);
    const { path } = this.node;
    const harts = props.harts === undefined ? {} : { harts: checkHarts(`harts of ${path}`, props.harts) };
    this._deploy((assets) => {
      const image = props.image._source.bind(assets, { guest: path, memory: this.memory.toBytes() });
      if (image.firmware === undefined) {
        throw new DeclarationError(
          `image of ${path}`,
          'a virtual machine starts in M-mode, and the image has no firmware',
          'Give GuestImage.linux the property "firmware", e.g. Debian\'s OpenSBI: VirtualMachine boots it below the kernel',
        );
      }
      return { model: 'machine', ...harts, ...image };
    });
  }
}
