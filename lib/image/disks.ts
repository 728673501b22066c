import { DeclarationError } from '../declaration-error';
import { FileEntry } from '../definition';
import { ImageAssets } from './image-assets';
import { ImageFile } from './image-file';
import { findSignature, structuredDisks } from './signatures';

/** Unit of a virtio-blk device's capacity (virtio 1.3, section 5.2.4). */
const SECTOR = 512;

/** @throws DeclarationError for a missing file, a disk format that is not raw, or a broken sector. */
export function openDisks(paths: readonly string[]): ImageFile[] {
  return paths.map((path) => {
    const file = new ImageFile('disk', path);
    const signature = findSignature(file.read(0, 16), structuredDisks);
    if (signature !== undefined) {
      throw new DeclarationError(
        file.input,
        `this is ${signature.kind}, and disks are raw images`,
        signature.fix,
      );
    }
    if (file.size % SECTOR !== 0) {
      throw new DeclarationError(
        file.input,
        `its ${file.size} bytes are not a multiple of the sector size, ${SECTOR} bytes`,
        `Pad it: truncate -s ${Math.ceil(file.size / SECTOR) * SECTOR} FILE`,
      );
    }
    return file;
  });
}

/** The definition's `disks`, absent when there are none. */
export function addDisks(
  assets: ImageAssets,
  disks: readonly ImageFile[],
): { readonly disks?: readonly FileEntry[] } {
  return disks.length === 0 ? {} : { disks: disks.map((disk, index) => assets.add(`Disk${index}`, disk)) };
}
