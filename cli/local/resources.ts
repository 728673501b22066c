/**
 * The resource types that the local cloud knows, and what `Ref` and
 * `Fn::GetAtt` give for each. Names are known before anything is created, so
 * resources may refer to each other in any order.
 */
import type { Assembly, Json, JsonObject } from './assembly';
import { LocalCloudError } from './errors';
import { resolve, type Scope } from './intrinsics';
import { LOCAL_ACCOUNT } from './limits';

interface Naming {
  /** Physical name. */
  readonly name: string;
  readonly region: string;
  /** Where queues are served, without a trailing slash. */
  readonly queueEndpoint: string;
}

type Value = (naming: Naming) => string;

interface ResourceType {
  /** Property that holds the physical name when the user chose one. */
  readonly nameProperty?: string;
  readonly ref: Value;
  readonly attributes: Readonly<Record<string, Value>>;
}

const arn =
  (service: string, prefix = '', regional = true): Value =>
  ({ name, region }) =>
    `arn:aws:${service}:${regional ? region : ''}:${LOCAL_ACCOUNT}:${prefix}${name}`;
const name: Value = (naming) => naming.name;
/** As CloudFormation makes one of a logical id. */
const bucketName: Value = (naming) => naming.name.toLowerCase();

/** Nothing runs for these locally; they only have names. */
const inert = (service: string, prefix = '', regional = true): ResourceType => ({
  ref: name,
  attributes: { Arn: arn(service, prefix, regional) },
});

const table: ResourceType = {
  nameProperty: 'TableName',
  ref: name,
  attributes: { Arn: arn('dynamodb', 'table/'), TableId: name },
};

export const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = {
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': table,
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: (naming) => queueUrl(naming),
    attributes: { Arn: arn('sqs'), QueueName: name, QueueUrl: (naming) => queueUrl(naming) },
  },
  'AWS::S3::Bucket': {
    nameProperty: 'BucketName',
    ref: bucketName,
    attributes: { Arn: (naming) => `arn:aws:s3:::${bucketName(naming)}` },
  },
  'AWS::S3::BucketPolicy': inert('s3'),
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    ref: name,
    attributes: { Arn: arn('lambda', 'function:') },
  },
  'AWS::Lambda::EventSourceMapping': inert('lambda', 'event-source-mapping:'),
  'AWS::Lambda::Permission': inert('lambda'),
  'AWS::Lambda::EventInvokeConfig': inert('lambda'),
  'AWS::IAM::Role': { ...inert('iam', 'role/', false), nameProperty: 'RoleName' },
  'AWS::IAM::Policy': inert('iam', 'policy/', false),
  'AWS::IAM::ManagedPolicy': inert('iam', 'policy/', false),
  'AWS::Logs::LogGroup': { ...inert('logs', 'log-group:'), nameProperty: 'LogGroupName' },
  'AWS::SQS::QueuePolicy': inert('sqs'),
  'AWS::CloudWatch::Alarm': inert('cloudwatch', 'alarm:'),
  'AWS::CloudWatch::Dashboard': inert('cloudwatch', 'dashboard/', false),
  'AWS::CDK::Metadata': inert('cloudformation'),
};

function queueUrl({ name: queue, queueEndpoint }: Naming): string {
  return `${queueEndpoint}/${LOCAL_ACCOUNT}/${queue}`;
}

/** A resource of the stack with every intrinsic function resolved. */
export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly name: string;
  readonly properties: JsonObject;
}

export interface StackResources {
  readonly scope: Scope;
  readonly outputs: Readonly<Record<string, Json>>;
  ofType(...types: string[]): Resource[];
  /** @throws LocalCloudError when the stack has no such resource of one of these types. */
  get(logicalId: string, ...types: string[]): Resource;
}

/** @throws LocalCloudError for a type, function or attribute that the local cloud does not know. */
export function resolveResources(
  assembly: Assembly,
  place: { readonly region: string; readonly queueEndpoint: string },
): StackResources {
  const { template, stackName } = assembly;
  const declared = template.Resources;
  for (const [logicalId, { Type }] of Object.entries(declared)) {
    if (RESOURCE_TYPES[Type] === undefined) {
      throw new LocalCloudError(
        `${logicalId} is of type ${Type}, which the local cloud does not know; it knows ` +
          Object.keys(RESOURCE_TYPES).join(', '),
      );
    }
  }

  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': LOCAL_ACCOUNT,
    'AWS::Region': place.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${place.region}:${LOCAL_ACCOUNT}:stack/${stackName}/local`,
  };

  const naming = (logicalId: string): Naming => {
    const resource = declared[logicalId];
    const property = RESOURCE_TYPES[resource?.Type ?? '']?.nameProperty;
    const chosen = property === undefined ? undefined : resource?.Properties?.[property];
    const physical = chosen === undefined ? undefined : resolve(chosen, scope);
    return { ...place, name: typeof physical === 'string' ? physical : generatedName(stackName, logicalId) };
  };

  const scope: Scope = {
    ref(id) {
      if (pseudo[id] !== undefined) return pseudo[id];
      const parameter = template.Parameters?.[id];
      if (parameter !== undefined) {
        if (parameter.Default === undefined) {
          throw new LocalCloudError(`parameter ${id} has no default; the local cloud takes defaults only`);
        }
        return parameter.Default;
      }
      const resource = declared[id];
      const type = RESOURCE_TYPES[resource?.Type ?? ''];
      if (type === undefined)
        throw new LocalCloudError(`Ref to ${id}: the template has nothing of this name`);
      return type.ref(naming(id));
    },
    attribute(id, attribute) {
      const type = RESOURCE_TYPES[declared[id]?.Type ?? ''];
      if (type === undefined) {
        throw new LocalCloudError(`Fn::GetAtt of ${id}: the template has nothing of this name`);
      }
      const value = type.attributes[attribute];
      if (value === undefined) {
        throw new LocalCloudError(
          `${id} (${declared[id]?.Type}): the local cloud does not know the attribute ${attribute}; it knows ` +
            Object.keys(type.attributes).join(', '),
        );
      }
      return value(naming(id));
    },
  };

  const resolved = (logicalId: string): Resource => {
    const type = declared[logicalId]?.Type ?? '';
    try {
      return {
        logicalId,
        type,
        name: naming(logicalId).name,
        properties: resolve(declared[logicalId]?.Properties ?? {}, scope) as JsonObject,
      };
    } catch (error) {
      if (!(error instanceof LocalCloudError)) throw error;
      throw new LocalCloudError(`${logicalId} (${type}): ${error.message}`);
    }
  };

  return {
    scope,
    outputs: Object.fromEntries(
      Object.entries(template.Outputs ?? {}).map(([id, output]) => [id, resolve(output.Value, scope)]),
    ),
    ofType: (...types) =>
      Object.keys(declared)
        .filter((id) => types.includes(declared[id]?.Type ?? ''))
        .map(resolved),
    get(logicalId, ...types) {
      if (!types.includes(declared[logicalId]?.Type ?? '')) {
        const known = Object.keys(declared).filter((id) => types.includes(declared[id]?.Type ?? ''));
        throw new LocalCloudError(
          `the stack has no ${types.join(' or ')} named ${logicalId}; it has: ${known.join(', ') || 'none'}`,
        );
      }
      return resolved(logicalId);
    },
  };
}

/** As CloudFormation makes it, without the random suffix; at most 64 characters, the shortest limit (functions). */
function generatedName(stackName: string, logicalId: string): string {
  // The logical id ends in a hash that tells resources apart, so the stack's name is what gives way.
  const room = Math.max(0, 63 - logicalId.length);
  return `${stackName.slice(0, room)}-${logicalId}`.slice(-64).replace(/^-/, '');
}
