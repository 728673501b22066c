/** A function of the template, as its worker processes need it. */
import { existsSync, statSync } from 'node:fs';
import type { PlacedAsset } from './assets';
import type { JsonObject } from './assembly';
import { LocalCloudError } from './errors';
import { text } from './intrinsics';
import { LOCAL_ACCOUNT } from './limits';
import type { Resource } from './resources';

export interface FunctionConfiguration {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** The bundle's directory in the assembly; the process's working directory. */
  readonly directory: string;
  /** `file.export`. */
  readonly handler: string;
  /** MB, as Lambda counts them: 1 MB is 2^20 bytes. */
  readonly memorySize: number;
  readonly timeoutSeconds: number;
  /** The process's whole environment but for what each process has of its own: log stream and temporary files. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Endpoints {
  readonly dynamodb: string;
  readonly sqs: string;
  readonly s3: string;
}

export const DUMMY_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;

/** @throws LocalCloudError when the function's code is not a directory of the assembly. */
export function functionConfiguration(
  resource: Resource,
  place: { readonly region: string; readonly endpoints: Endpoints; readonly assets: readonly PlacedAsset[] },
  overrides: Readonly<Record<string, string>> = {},
): FunctionConfiguration {
  const { logicalId, name, properties } = resource;
  const handler = text(properties['Handler'] ?? '', 'Handler');
  const memorySize = Number(properties['MemorySize'] ?? 128);
  const declared = ((properties['Environment'] as JsonObject | undefined)?.['Variables'] ?? {}) as JsonObject;
  return {
    logicalId,
    name,
    arn: `arn:aws:lambda:${place.region}:${LOCAL_ACCOUNT}:function:${name}`,
    directory: codeDirectory(resource, place.assets),
    handler,
    memorySize,
    timeoutSeconds: Number(properties['Timeout'] ?? 3),
    environment: {
      ...lambdaEnvironment({
        name,
        handler,
        memorySize,
        ...place,
        directory: codeDirectory(resource, place.assets),
      }),
      ...Object.fromEntries(Object.entries(declared).map(([key, value]) => [key, text(value, key)])),
      ...overrides,
    },
  };
}

/** Lambda Developer Guide, "Using Lambda environment variables"; the endpoints are the SDK's own variables. */
function lambdaEnvironment(worker: {
  name: string;
  handler: string;
  memorySize: number;
  region: string;
  directory: string;
  endpoints: Endpoints;
}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    // The user's own ~/.aws must not reach the function.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    _HANDLER: worker.handler,
    LAMBDA_TASK_ROOT: worker.directory,
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
    AWS_LAMBDA_FUNCTION_NAME: worker.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(worker.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${worker.name}`,
    AWS_REGION: worker.region,
    AWS_DEFAULT_REGION: worker.region,
    AWS_ACCESS_KEY_ID: DUMMY_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: DUMMY_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: worker.endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: worker.endpoints.sqs,
    AWS_ENDPOINT_URL_S3: worker.endpoints.s3,
  };
}

function codeDirectory({ logicalId, properties }: Resource, assets: readonly PlacedAsset[]): string {
  const code = (properties['Code'] ?? {}) as JsonObject;
  const asset = assets.find(
    ({ bucketName, objectKey }) => bucketName === code['S3Bucket'] && objectKey === code['S3Key'],
  );
  if (asset === undefined) {
    throw new LocalCloudError(
      `${logicalId} (AWS::Lambda::Function): its code is no asset of the assembly; use Code.fromAsset`,
    );
  }
  if (!existsSync(asset.path) || !statSync(asset.path).isDirectory()) {
    throw new LocalCloudError(
      `${logicalId} (AWS::Lambda::Function): ${asset.path} is no directory; give Code.fromAsset the bundle's directory`,
    );
  }
  return asset.path;
}
