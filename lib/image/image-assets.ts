import { Token } from 'aws-cdk-lib';
import * as s3_assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { DeclarationError } from '../declaration-error';
import { FileEntry } from '../definition';
import { ImageFile } from './image-file';
import { writtenAsset } from './written-asset';

/** Makes assets of image files, below one construct, and remembers them for the worker's permissions. */
export class ImageAssets {
  readonly assets: s3_assets.Asset[] = [];

  constructor(private readonly scope: Construct) {}

  /** Publishes `file` under the construct id `id`. */
  add(id: string, file: ImageFile): FileEntry {
    const asset = new s3_assets.Asset(this.scope, id, { path: file.path });
    this.assets.push(asset);
    return { key: assetKey(asset), name: file.name, sha256: file.sha256(), size: file.size };
  }

  /** Publishes a file called `name` that `write` makes. */
  addWritten(id: string, name: string, write: (descriptor: number) => void): FileEntry {
    const { asset, sha256, size } = writtenAsset(this.scope, id, name, write);
    this.assets.push(asset);
    return { key: assetKey(asset), name, sha256, size };
  }
}

/**
 * The asset's key in the assets bucket.
 *
 * @throws DeclarationError when the stack's synthesizer does not know it before deployment.
 */
export function assetKey(asset: s3_assets.Asset): string {
  if (Token.isUnresolved(asset.s3ObjectKey)) {
    throw new DeclarationError(
      asset.node.path,
      "the stack's synthesizer does not know the keys of assets at synth, and a guest's definition names them",
      'Use the DefaultStackSynthesizer, or one derived from it',
    );
  }
  return asset.s3ObjectKey;
}
