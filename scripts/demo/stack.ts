/** The parts of the example's stack that the demonstration touches, found in the template, not by name. */
import { text, type LocalCloud } from '../../cli/local';
import { DemoError } from './errors';

export interface DemoStack {
  readonly tableName: string;
  readonly queue: string;
  readonly worker: string;
  readonly ingress: string;
}

/** The guest id that the stack gives out under a name. @throws DemoError when it does not. */
export function guestOf({ resources }: LocalCloud, output: string): string {
  return text(resources.outputs[output] ?? null, `the output ${output}`);
}

/** Logical ids and names. @throws DemoError when the example no longer has what the demonstration needs. */
export function stackOf({ resources }: LocalCloud): DemoStack {
  const only = <T>(what: string, found: readonly T[]): T => {
    const [first, second] = found;
    if (first === undefined || second !== undefined) {
      throw new DemoError(`the example's stack has ${found.length} of ${what}, the demonstration needs one`);
    }
    return first;
  };
  const functions = resources.ofType('AWS::Lambda::Function');
  const mapping = only(
    'event source mappings',
    resources.ofType('AWS::Lambda::EventSourceMapping'),
  ).properties;
  return {
    tableName: only('tables', resources.ofType('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable')).name,
    queue: only(
      'run queues',
      resources
        .ofType('AWS::SQS::Queue')
        .filter(({ logicalId }) => resources.scope.attribute(logicalId, 'Arn') === mapping['EventSourceArn']),
    ).logicalId,
    worker: only(
      'worker functions',
      functions.filter(({ name }) => name === mapping['FunctionName']),
    ).logicalId,
    ingress: only(
      'ingress functions',
      functions.filter(({ name }) => name === resources.outputs['IngressFunction']),
    ).logicalId,
  };
}
