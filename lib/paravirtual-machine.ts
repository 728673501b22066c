import { Construct } from 'constructs';
import { DeclarationError } from './declaration-error';
import { Guest, GuestAttributes, GuestProps, IGuest, ImportedGuest } from './guest';
import { checkHarts } from './harts';
import { GuestImage } from './image/guest-image';

/** A guest whose kernel works with the monitor instead of on imitated hardware. */
export interface IParavirtualMachine extends IGuest {}

/** What is known of a paravirtual machine that another app declares. */
export interface ParavirtualMachineAttributes extends GuestAttributes {}

/** Properties of a {@link ParavirtualMachine}. */
export interface ParavirtualMachineProps extends GuestProps {
  /**
   * What the machine boots: a Linux kernel without firmware, since the monitor itself serves what firmware would.
   * The kernel is given as its distribution packages it, with its symbol table (`CONFIG_KALLSYMS`).
   */
  readonly image: GuestImage;

  /**
   * CPUs of the guest ("harts"), 1 to 8. They take turns on the worker's one: more of them make nothing faster, but
   * are what software that wants several CPUs is tested on.
   *
   * @default 1
   */
  readonly harts?: number;

  /**
   * Whether the kernel is ported: as it is loaded, functions that are found and recognised in it become hypercalls.
   * With false it runs as it is, which is slower, and of use for comparisons.
   *
   * @default true
   */
  readonly port?: boolean;
}

/**
 * A guest that knows its monitor: the kernel enters in S-mode with no firmware below it, uses privileged operations
 * sparingly, and asks the monitor by hypercalls instead of touching hardware. Faster than a `VirtualMachine`.
 *
 * Events reach it as lines of the virtio port `events`, and each line that it writes there is a result.
 */
export class ParavirtualMachine extends Guest implements IParavirtualMachine {
  /** Refers to a paravirtual machine that another app declares. */
  public static fromParavirtualMachineAttributes(
    scope: Construct,
    id: string,
    attributes: ParavirtualMachineAttributes,
  ): IParavirtualMachine {
    return new ImportedGuest(scope, id, attributes);
  }

  constructor(scope: Construct, id: string, props: ParavirtualMachineProps) {
    super(scope, id, props);
    const { path } = this.node;
    const harts = props.harts === undefined ? {} : { harts: checkHarts(`harts of ${path}`, props.harts) };
    this._deploy((assets) => {
      const { firmware, ...image } = props.image._source.bind(assets, {
        guest: path,
        memory: this.memory.toBytes(),
      });
      if (image.kernel === undefined) {
        throw new DeclarationError(
          `image of ${path}`,
          'a paravirtual machine is a kernel that works with its monitor, and the image has no kernel',
          'Use GuestImage.linux, or a VirtualMachine for a program that wants the bare machine',
        );
      }
      if (firmware !== undefined) {
        throw new DeclarationError(
          `image of ${path}`,
          `a paravirtual machine has no M-mode for the firmware "${firmware.name}": the monitor serves the kernel's SBI calls`,
          'Leave "firmware" out of GuestImage.linux',
        );
      }
      return { model: 'paravirt', ...harts, ...image, ...(props.port !== undefined && { port: props.port }) };
    });
  }
}
