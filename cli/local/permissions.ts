/**
 * What a function's role allows, from the policies of the template: a grant that is missing fails here as it would in
 * the cloud. AWS Identity and Access Management User Guide, "Policy evaluation logic": what no statement allows is
 * denied, and what one denies is denied. Conditions are not evaluated; a statement that has some counts without them.
 */
import type { Json, JsonObject } from './assembly';
import { LOCAL_ACCOUNT } from './limits';
import type { ServiceRequest } from './faults/request';
import type { Resource, StackResources } from './resources';

interface Statement {
  readonly allow: boolean;
  readonly actions: readonly RegExp[];
  readonly resources: readonly RegExp[];
}

export class Permissions {
  constructor(
    private readonly role: string,
    private readonly region: string,
    private readonly statements: readonly Statement[],
  ) {}

  /** Why the request is denied; undefined when it is allowed. */
  denial(request: ServiceRequest): string | undefined {
    const action = `${request.service}:${request.operation}`;
    const resource = this.resourceOf(request);
    const matching = this.statements.filter(
      ({ actions, resources }) =>
        actions.some((pattern) => pattern.test(action)) &&
        resources.some((pattern) => pattern.test(resource)),
    );
    if (matching.length > 0 && matching.every(({ allow }) => allow)) return undefined;
    return `role ${this.role} is not authorized to perform ${action} on ${resource}: grant it in the stack`;
  }

  private resourceOf({ service, input }: ServiceRequest): string {
    if (service === 'dynamodb')
      return `arn:aws:dynamodb:${this.region}:${LOCAL_ACCOUNT}:table/${String(input['TableName'] ?? '')}`;
    const queue = String(input['QueueUrl'] ?? '').replace(/^.*\//, '');
    return `arn:aws:sqs:${this.region}:${LOCAL_ACCOUNT}:${queue}`;
  }
}

/**
 * Undefined when the template says nothing of the function's role: it has none, or one without policies, as tests
 * write it that are not about permissions.
 */
export function permissionsOf(
  lambda: Resource,
  resources: StackResources,
  region: string,
): Permissions | undefined {
  const role = /:role\/(.+)$/.exec(String(lambda.properties['Role'] ?? ''))?.[1];
  if (role === undefined) return undefined;
  const policies = resources
    .ofType('AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy')
    .filter(({ properties }) => list(properties['Roles']).includes(role))
    .map(({ properties }) => properties['PolicyDocument'] as JsonObject);
  const inline = resources
    .ofType('AWS::IAM::Role')
    .filter(({ name }) => name === role)
    .flatMap(({ properties }) => list(properties['Policies']) as JsonObject[])
    .map(({ PolicyDocument }) => PolicyDocument as JsonObject);
  const documents = [...policies, ...inline];
  if (documents.length === 0) return undefined;
  const statements = documents.flatMap((document) =>
    (list(document['Statement']) as JsonObject[]).map(statementOf),
  );
  return new Permissions(role, region, statements);
}

function statementOf({ Effect, Action, Resource }: JsonObject): Statement {
  return {
    allow: Effect === 'Allow',
    actions: list(Action).map((text) => pattern(text, 'i')),
    resources: list(Resource).map((text) => pattern(text)),
  };
}

/** One value, or a list of them. */
function list(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

/** `*` stands for any text, `?` for any character. */
function pattern(text: Json, flags = ''): RegExp {
  const escaped = String(text).replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, flags);
}
