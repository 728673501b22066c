import { DiskEntry, FileEntry } from '../definition';
import { ImageAssets } from './image-assets';

/** The part of a guest's definition that its image decides. */
export interface ImageDefinition {
  readonly firmware?: FileEntry;
  readonly kernel?: FileEntry;
  readonly initrd?: FileEntry;
  readonly commandLine?: string;
  readonly disks?: readonly DiskEntry[];
}

/** The guest that an image is bound to, as far as the image has to fit it. */
export interface ImageRoom {
  /** The guest's construct path, for messages. */
  readonly guest: string;
  /** RAM in bytes. */
  readonly memory: number;
}

/** One kind of image: checks its files when it is made, and publishes them for each guest. */
export interface ImageSource {
  /** @throws DeclarationError when the image does not fit the room. */
  bind(assets: ImageAssets, room: ImageRoom): ImageDefinition;
}
