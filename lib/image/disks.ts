import * as fs from 'fs';
import { DeclarationError } from '../declaration-error';
import { Size } from 'aws-cdk-lib';
import { DiskEntry } from '../definition';
import { ImageAssets } from './image-assets';
import { ImageFile } from './image-file';
import { describeSize, MEBIBYTE } from './size';
import { findSignature, structuredDisks } from './signatures';

/** Unit of a virtio-blk device's capacity (virtio 1.3, section 5.2.4). */
const SECTOR = 512;
/** What checkpoints are made of. */
const PAGE = 4096;

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

/** Bytes from which on an image is read in parts. */
const LARGE = 16 * MEBIBYTE;

/** The largest disk. */
const MOST = Size.gibibytes(64).toBytes();

/**
 * The definition's `disks`, absent when there are none.
 *
 * @throws DeclarationError for a size that the disk cannot have.
 */
export function addDisks(
  assets: ImageAssets,
  disks: readonly ImageFile[],
  sizes: readonly Size[] = [],
): { readonly disks?: readonly DiskEntry[] } {
  if (sizes.length > disks.length) {
    throw new DeclarationError(
      'diskSizes',
      `there are ${sizes.length} sizes for ${disks.length} disks`,
      'Give a size for each disk, or leave the last ones out',
    );
  }
  if (disks.length === 0) return {};
  return {
    disks: disks.map((disk, index) => {
      const capacity = sizes[index] && checkCapacity(disk, sizes[index].toBytes());
      return {
        ...assets.add(`Disk${index}`, disk),
        ...(capacity !== undefined && capacity !== disk.size && { capacity }),
        ...(disk.size >= LARGE && {
          blocks: assets.addWritten(`Disk${index}Blocks`, `${disk.name}.blocks`, (descriptor) =>
            disk.eachBlock((digest) => fs.writeSync(descriptor, digest)),
          ),
        }),
      };
    }),
  };
}

function checkCapacity(disk: ImageFile, bytes: number): number {
  if (bytes % PAGE === 0 && bytes >= disk.size && bytes <= MOST) return bytes;
  throw new DeclarationError(
    disk.input,
    `its "diskSizes" entry is ${describeSize(bytes)}, and its image has ${describeSize(disk.size)}`,
    'Give a whole number of 4 KiB pages, from the size of the image up to 64 GiB',
  );
}
