import { Size } from 'aws-cdk-lib';
import { DeclarationError } from '../declaration-error';
import { addDisks, openDisks } from './disks';
import { Firmware, openFirmware } from './firmware-file';
import { ImageAssets } from './image-assets';
import { ImageFile } from './image-file';
import { ImageDefinition, ImageRoom, ImageSource } from './image-source';
import { KernelHeader, readKernelHeader } from './kernel';
import { describeSize, MEBIBYTE } from './size';

/** COMMAND_LINE_SIZE of riscv (Linux arch/riscv/include/uapi/asm/setup.h), with its final zero byte. */
const COMMAND_LINE_SIZE = 1024;

/** What a kernel needs besides itself and its initrd before it can say that memory is short: page tables, per-CPU
 *  areas, the device tree. */
const KERNEL_WORKING_SET = 16 * MEBIBYTE;

/** Properties of `GuestImage.linux`. */
export interface LinuxImageProps {
  /** Path of an uncompressed riscv64 kernel, a Linux `Image` (Debian's `vmlinuz` is one). */
  readonly kernel: string;

  /**
   * Path of the initial RAM disk or initramfs, compressed or not.
   *
   * @default - none; the kernel finds its root file system on a disk
   */
  readonly initrd?: string;

  /**
   * The kernel's command line, at most 1,023 bytes.
   *
   * @default - empty
   */
  readonly commandLine?: string;

  /**
   * Path of the firmware that runs below the kernel in M-mode and serves its SBI calls, e.g. OpenSBI's
   * `fw_dynamic.bin`. A `VirtualMachine` needs it.
   *
   * @default - no firmware
   */
  readonly firmware?: string;

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

/** See `GuestImage.linux`. */
export class LinuxImage implements ImageSource {
  private readonly kernel: ImageFile;
  private readonly header: KernelHeader;
  private readonly initrd: ImageFile | undefined;
  private readonly firmware: Firmware | undefined;
  private readonly disks: readonly ImageFile[];
  private readonly diskSizes: readonly Size[];
  private readonly commandLine: string | undefined;

  constructor(props: LinuxImageProps) {
    this.kernel = new ImageFile('kernel', props.kernel);
    this.header = readKernelHeader(this.kernel);
    this.initrd = props.initrd === undefined ? undefined : new ImageFile('initrd', props.initrd);
    this.firmware = props.firmware === undefined ? undefined : openFirmware(props.firmware);
    this.disks = openDisks(props.disks ?? []);
    this.diskSizes = props.diskSizes ?? [];
    this.commandLine = checkCommandLine(props.commandLine);
  }

  bind(assets: ImageAssets, room: ImageRoom): ImageDefinition {
    this.checkMemory(room);
    return {
      ...(this.firmware && { firmware: assets.add('Firmware', this.firmware.file) }),
      kernel: assets.add('Kernel', this.kernel),
      ...(this.initrd && { initrd: assets.add('Initrd', this.initrd) }),
      ...(this.commandLine !== undefined && { commandLine: this.commandLine }),
      ...addDisks(assets, this.disks, this.diskSizes),
    };
  }

  private checkMemory({ guest, memory }: ImageRoom): void {
    const { textOffset, imageSize } = this.header;
    if (this.firmware !== undefined && this.firmware.end > textOffset) {
      throw new DeclarationError(
        this.firmware.file.input,
        `it takes ${describeSize(this.firmware.end)} from the start of RAM, and ${this.kernel.input} begins at ${describeSize(textOffset)}`,
        "Use firmware that lies wholly below the kernel, e.g. OpenSBI's fw_dynamic.bin, and a kernel for S-mode",
      );
    }
    const kernelNeeds = textOffset + imageSize + KERNEL_WORKING_SET;
    if (kernelNeeds > memory) {
      throw new DeclarationError(
        `memory of ${guest}`,
        `${describeSize(memory)} are too little for ${this.kernel.input}, which takes ${describeSize(imageSize)} and works in ${describeSize(KERNEL_WORKING_SET)} more`,
        `Set "memory" to ${describeSize(kernelNeeds + (this.initrd?.size ?? 0))} or more`,
      );
    }
    if (this.initrd !== undefined && kernelNeeds + this.initrd.size > memory) {
      throw new DeclarationError(
        this.initrd.input,
        `its ${describeSize(this.initrd.size)} do not fit beside the kernel into the ${describeSize(memory)} of ${guest}`,
        `Set "memory" to ${describeSize(kernelNeeds + this.initrd.size)} or more, or use a smaller initrd`,
      );
    }
  }
}

function checkCommandLine(commandLine: string | undefined): string | undefined {
  if (commandLine === undefined) return undefined;
  const bytes = Buffer.byteLength(commandLine);
  if (bytes >= COMMAND_LINE_SIZE) {
    throw new DeclarationError(
      'commandLine',
      `${bytes} bytes are more than the ${COMMAND_LINE_SIZE - 1} that a riscv64 kernel reads`,
      'Shorten it',
    );
  }
  if (/[\u0000-\u001f\u007f]/.test(commandLine)) {
    throw new DeclarationError(
      'commandLine',
      'it contains a control character',
      'Write it on one line of plain text',
    );
  }
  return commandLine;
}
