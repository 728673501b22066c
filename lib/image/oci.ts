import * as fs from 'fs';
import * as path from 'path';
import { isTarHeader, writeTar } from '../archive/tar';
import { DeclarationError } from '../declaration-error';
import { FileEntry } from '../definition';
import { ImageAssets } from './image-assets';
import { ImageFile } from './image-file';
import { compressed, findSignature } from './signatures';

/** One layer: how it becomes an asset of a guest. */
type Layer = (assets: ImageAssets, id: string) => FileEntry;

/**
 * The files that a container starts from: layers in the manner of the OCI image specification, the lowest first.
 * The container sees them as one tree, and writes to a layer of its own above them.
 */
export class OciImage {
  /**
   * The contents of a directory as the root of the container. They become a tar archive at synth, the same bytes for
   * the same files: sorted, all owned by root, with times of zero. Modes, links and devices are as they are.
   *
   * @throws when there is no such directory, or nothing in it.
   */
  public static fromDirectory(directory: string): OciImage {
    const source = checkDirectory(directory);
    const layer: Layer = (assets, id) =>
      assets.addWritten(id, `${path.basename(source)}.tar`, (descriptor) =>
        writeTar(source, (bytes) => fs.writeFileSync(descriptor, bytes)),
      );
    return new OciImage([layer]);
  }

  /**
   * Uncompressed tar archives, the lowest layer first, e.g. what `docker export` writes, or the layers of an OCI
   * image. Whiteouts (`.wh.`) hide files of the layers below.
   *
   * @throws when a file is missing or is no tar archive.
   */
  public static fromTar(...paths: string[]): OciImage {
    if (paths.length === 0) {
      throw new DeclarationError('OciImage.fromTar', 'an image has at least one layer', 'Name a tar archive');
    }
    const files = paths.map(openTar);
    return new OciImage(
      files.map(
        (file): Layer =>
          (assets, id) =>
            assets.add(id, file),
      ),
    );
  }

  private constructor(private readonly layers: readonly Layer[]) {}

  /**
   * Publishes the layers for one guest.
   *
   * @internal
   */
  public _bind(assets: ImageAssets): FileEntry[] {
    return this.layers.map((layer, index) => layer(assets, `Layer${index}`));
  }
}

function checkDirectory(directory: string): string {
  const source = path.resolve(directory);
  const input = `directory "${directory}"`;
  const status = fs.statSync(source, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new DeclarationError(
      input,
      `there is no directory ${source}`,
      'Paths are relative to the directory in which "cdk" runs: correct the path, or make the directory first',
    );
  }
  if (!status.isDirectory()) {
    throw new DeclarationError(input, `${source} is no directory`, 'Use OciImage.fromTar for a tar archive');
  }
  if (fs.readdirSync(source).length === 0) {
    throw new DeclarationError(input, `${source} is empty`, 'Put the files of the container into it');
  }
  return source;
}

function openTar(target: string): ImageFile {
  const file = new ImageFile('layer', target);
  const head = file.read(0, 512);
  if (isTarHeader(head)) return file;
  const signature = findSignature(head, compressed);
  throw new DeclarationError(
    file.input,
    signature === undefined
      ? 'this is no tar archive'
      : `this is ${signature.kind}, and layers are plain tar archives`,
    signature === undefined
      ? 'Make one: tar -cf FILE.tar -C DIRECTORY . ; or use OciImage.fromDirectory'
      : signature.fix.replace('Image', 'FILE.tar'),
  );
}
