import * as s3_assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { ImageFile } from './image-file';

/** An asset whose file did not exist before. */
export interface WrittenAsset {
  readonly asset: s3_assets.Asset;
  /** SHA-256 of the file, lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** Publishes a file called `name` with what `write` puts into it, and leaves nothing behind but the assembly. */
export function writtenAsset(
  scope: Construct,
  id: string,
  name: string,
  write: (descriptor: number) => void,
): WrittenAsset {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'guest-asset-'));
  let keep = false;
  try {
    const target = path.join(directory, name);
    const descriptor = fs.openSync(target, 'w');
    try {
      write(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    const file = new ImageFile(id, target);
    const asset = new s3_assets.Asset(scope, id, { path: target });
    // Staged into the cloud assembly by now, except where staging is switched off and the assembly names this file.
    keep = path.dirname(path.resolve(asset.assetPath)) === directory;
    return { asset, sha256: file.sha256(), size: file.size };
  } finally {
    if (!keep) fs.rmSync(directory, { recursive: true });
  }
}
