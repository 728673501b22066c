/** Hand-made assemblies for tests: one function fed by one queue, with a table and a file asset. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUCKET = 'cdk-assets-${AWS::AccountId}-${AWS::Region}';

export interface TinyAssembly {
  /** Source of `index.js`, CommonJS. */
  readonly code: string;
  readonly memorySize?: number;
  readonly timeout?: number;
  readonly visibilityTimeout?: number;
  readonly maxReceiveCount?: number;
  /** `Allow` turns recursive-loop detection off. */
  readonly recursiveLoop?: string;
  /** Replaces or adds resources. */
  readonly resources?: Record<string, object>;
}

export interface WrittenAssembly {
  readonly directory: string;
  remove(): void;
}

export function writeAssembly(tiny: TinyAssembly): WrittenAssembly {
  const directory = mkdtempSync(join(tmpdir(), 'hv-assembly-'));
  const json = (name: string, value: unknown) => writeFileSync(join(directory, name), JSON.stringify(value));
  mkdirSync(join(directory, 'asset.code'));
  writeFileSync(join(directory, 'asset.code', 'index.js'), tiny.code);
  writeFileSync(join(directory, 'asset.image.bin'), 'the image');

  json('manifest.json', {
    version: '48.0.0',
    artifacts: {
      'Tiny.assets': { type: 'cdk:asset-manifest', properties: { file: 'Tiny.assets.json' } },
      Tiny: {
        type: 'aws:cloudformation:stack',
        environment: 'aws://unknown-account/unknown-region',
        properties: { templateFile: 'Tiny.template.json' },
        dependencies: ['Tiny.assets'],
      },
      Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
    },
  });
  const destination = (objectKey: string) => ({ here: { bucketName: BUCKET, objectKey } });
  json('Tiny.assets.json', {
    version: '48.0.0',
    files: {
      c0de: { source: { path: 'asset.code', packaging: 'zip' }, destinations: destination('c0de.zip') },
      f11e: { source: { path: 'asset.image.bin', packaging: 'file' }, destinations: destination('f11e.bin') },
    },
  });
  json('Tiny.template.json', {
    Parameters: { BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk/version' } },
    Resources: {
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
        },
      },
      DeadLetters: { Type: 'AWS::SQS::Queue', Properties: {} },
      Queue: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          VisibilityTimeout: tiny.visibilityTimeout ?? 30,
          RedrivePolicy: {
            deadLetterTargetArn: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] },
            maxReceiveCount: tiny.maxReceiveCount ?? 5,
          },
        },
      },
      Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {} } },
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Code: { S3Bucket: { 'Fn::Sub': BUCKET }, S3Key: 'c0de.zip' },
          Handler: 'index.handler',
          Runtime: 'nodejs24.x',
          MemorySize: tiny.memorySize ?? 256,
          Timeout: tiny.timeout ?? 20,
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
          ...(tiny.recursiveLoop === undefined ? {} : { RecursiveLoop: tiny.recursiveLoop }),
          Environment: {
            Variables: {
              TABLE_NAME: { Ref: 'Table' },
              QUEUE_URL: { Ref: 'Queue' },
              ASSETS_BUCKET: { 'Fn::Sub': BUCKET },
              ARN: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':x:', { Ref: 'AWS::Region' }]] },
            },
          },
        },
      },
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
          FunctionName: { Ref: 'Function' },
          BatchSize: 2,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
        },
      },
      ...tiny.resources,
    },
  });
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
