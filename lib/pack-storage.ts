import { RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/**
 * Where the pages of checkpoints lie. What decides which checkpoint counts is in the host's table in any case.
 *
 * The table takes small guests at the lowest latency; a bucket costs by the request and not by the kilobyte, and so
 * suits large guests and those that write much: one full checkpoint of 64 MiB is about $0.04 in the table and less
 * than $0.001 in a bucket.
 */
export abstract class PackStorage {
  /** In the host's table. */
  public static table(): PackStorage {
    return new TableStorage();
  }

  /** In a bucket: the given one, or one of the host's own. Packs lie below the prefix of the guest's id. */
  public static bucket(bucket?: s3.IBucket): PackStorage {
    return new BucketStorage(bucket);
  }

  /**
   * The bucket, made if need be; undefined for the table.
   *
   * @internal
   */
  public abstract _bind(scope: Construct, removalPolicy: RemovalPolicy): s3.IBucket | undefined;
}

class TableStorage extends PackStorage {
  public _bind(): undefined {
    return undefined;
  }
}

class BucketStorage extends PackStorage {
  constructor(private readonly given: s3.IBucket | undefined) {
    super();
  }

  public _bind(scope: Construct, removalPolicy: RemovalPolicy): s3.IBucket {
    if (this.given) return this.given;
    // The cast: Bucket declares its optional properties in a way that `exactOptionalPropertyTypes` refuses.
    return new s3.Bucket(scope, 'Packs', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      removalPolicy,
    }) as s3.IBucket;
  }
}
