import { FirmwareImage, FirmwareImageProps } from './firmware';
import { ImageSource } from './image-source';
import { LinuxImage, LinuxImageProps } from './linux';

/**
 * The immutable state that a guest starts from. Files are checked where the image is declared, and published as
 * assets of the guests that use it.
 */
export class GuestImage {
  /**
   * A Linux kernel with what it boots with.
   *
   * @throws when a file is missing or is not what its property says.
   */
  public static linux(props: LinuxImageProps): GuestImage {
    return new GuestImage(new LinuxImage(props));
  }

  /**
   * A program that the machine enters in M-mode with nothing below it: an ELF file, loaded by physical address,
   * or a raw binary, loaded at the start of RAM.
   *
   * @throws when a file is missing or is not what its property says.
   */
  public static firmware(props: FirmwareImageProps): GuestImage {
    return new GuestImage(new FirmwareImage(props));
  }

  private constructor(
    /** @internal */
    public readonly _source: ImageSource,
  ) {}
}
