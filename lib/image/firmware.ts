import { Size } from 'aws-cdk-lib';
import { DeclarationError } from '../declaration-error';
import { addDisks, openDisks } from './disks';
import { Firmware, openFirmware } from './firmware-file';
import { ImageAssets } from './image-assets';
import { ImageFile } from './image-file';
import { ImageDefinition, ImageRoom, ImageSource } from './image-source';
import { describeSize } from './size';

/** Properties of `GuestImage.firmware`. */
export interface FirmwareImageProps {
  /** Path of an ELF file or a raw binary for riscv64. */
  readonly firmware: string;

  /**
   * Paths of raw disk images, in the order in which the guest sees them. The guest writes to copies.
   *
   * @default - no disks
   */
  readonly disks?: string[];

  /**
   * Sizes of the disks, in their order, of up to 64 GiB each. Behind the image there are zeros, which cost nothing.
   *
   * @default - a disk is as large as its image
   */
  readonly diskSizes?: Size[];
}

/** See `GuestImage.firmware`. */
export class FirmwareImage implements ImageSource {
  private readonly firmware: Firmware;
  private readonly disks: readonly ImageFile[];
  private readonly diskSizes: readonly Size[];

  constructor(props: FirmwareImageProps) {
    this.firmware = openFirmware(props.firmware);
    this.disks = openDisks(props.disks ?? []);
    this.diskSizes = props.diskSizes ?? [];
  }

  bind(assets: ImageAssets, { guest, memory }: ImageRoom): ImageDefinition {
    if (this.firmware.end > memory) {
      throw new DeclarationError(
        `memory of ${guest}`,
        `${this.firmware.file.input} takes ${describeSize(this.firmware.end)} from the start of RAM, and there are ${describeSize(memory)}`,
        `Set "memory" to ${describeSize(this.firmware.end)} or more`,
      );
    }
    return {
      firmware: assets.add('Firmware', this.firmware.file),
      ...addDisks(assets, this.disks, this.diskSizes),
    };
  }
}
