/** Creates the template's buckets in the S3 server. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { DUMMY_CREDENTIALS } from './function-configuration';
import { text } from './intrinsics';
import type { StackResources } from './resources';

const BUCKET = 'AWS::S3::Bucket';

export async function createBuckets(
  endpoint: string,
  region: string,
  resources: StackResources,
): Promise<void> {
  const buckets = resources
    .ofType(BUCKET)
    .map(({ logicalId }) => text(resources.scope.ref(logicalId), 'a bucket'));
  if (buckets.length === 0) return;
  const client = new S3Client({ endpoint, region, credentials: DUMMY_CREDENTIALS, forcePathStyle: true });
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
}
