import { App, Aspects, CfnResource, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as fs from 'fs';
import { GuestImage, Host, VirtualMachine } from '../../lib';
import {
  definitionOf,
  emptyBundle,
  file,
  firmware,
  initrd,
  kernel,
  kernelBytes,
  MEBIBYTE,
  stack,
} from './fixtures';

jest.mock('../../lib/bundle', () => ({ bundleDirectory: (name: string) => emptyBundle(name) }));

const linux = () => GuestImage.linux({ kernel, initrd, firmware });

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** The statements of the role of a function, by the role's logical id prefix. */
function statements(template: Template, role: string): Statement[] {
  const policies = Object.values(template.findResources('AWS::IAM::Policy')) as {
    Properties: { Roles: { Ref: string }[]; PolicyDocument: { Statement: Statement[] } };
  }[];
  return policies
    .filter((policy) => policy.Properties.Roles.some(({ Ref }) => Ref.startsWith(role)))
    .flatMap((policy) => policy.Properties.PolicyDocument.Statement);
}

function environment(template: Template, description: string): Record<string, unknown> {
  const [found] = Object.values(
    template.findResources('AWS::Lambda::Function', {
      Properties: { Description: Match.stringLikeRegexp(description) },
    }),
  ) as { Properties: { Environment: { Variables: Record<string, unknown> } } }[];
  return found.Properties.Environment.Variables;
}

describe('Host', () => {
  test('is a table, a queue with dead letters, a worker and an ingress', () => {
    const scope = stack();
    new Host(scope, 'Host');
    const template = Template.fromStack(scope);

    template.hasResource('AWS::DynamoDB::GlobalTable', {
      Properties: {
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        BillingMode: 'PAY_PER_REQUEST',
      },
      DeletionPolicy: 'Retain',
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Runs slices of guests',
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Architectures: ['arm64'],
      MemorySize: 1769,
      Timeout: 180,
      RecursiveLoop: 'Allow',
    });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      Enabled: true,
    });
    template.hasResourceProperties('AWS::SQS::Queue', {
      VisibilityTimeout: 6 * 180,
      RedrivePolicy: {
        maxReceiveCount: 20,
        deadLetterTargetArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('DeadLetters'), 'Arn'] },
      },
    });
    template.resourceCountIs('AWS::CloudWatch::Alarm', 3);
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    template.resourceCountIs('AWS::Logs::LogGroup', 2);
  });

  test('gives only the worker leave to loop', () => {
    const scope = stack();
    new Host(scope, 'Host');
    Template.fromStack(scope).hasResourceProperties('AWS::Lambda::Function', {
      Description: Match.stringLikeRegexp('inboxes'),
      RecursiveLoop: Match.absent(),
    });
  });

  test('passes its properties on', () => {
    const scope = stack();
    new Host(scope, 'Host', {
      memorySize: 3008,
      timeSlice: Duration.minutes(13),
      architecture: lambda.Architecture.X86_64,
      removalPolicy: RemovalPolicy.DESTROY,
      pointInTimeRecovery: true,
      warmThroughput: {
        readUnitsPerSecond: 15_000,
        writeUnitsPerSecond: 8_000,
      } satisfies dynamodb.WarmThroughput,
      logRetention: logs.RetentionDays.ONE_WEEK,
      enabled: false,
    });
    const template = Template.fromStack(scope);
    template.hasResourceProperties('AWS::Lambda::Function', {
      MemorySize: 3008,
      Timeout: 900,
      Architectures: ['x86_64'],
      Environment: { Variables: Match.objectLike({ SLICE_SECONDS: '780' }) },
    });
    template.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Delete',
      Properties: {
        WarmThroughput: { ReadUnitsPerSecond: 15_000, WriteUnitsPerSecond: 8_000 },
        Replicas: [
          Match.objectLike({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }),
        ],
      },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { Enabled: false });
  });

  test('tells worker and ingress of each guest by the key of its definition', () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    new VirtualMachine(scope, 'Second', { host, image: linux(), memory: Size.mebibytes(128) });
    new VirtualMachine(scope, 'First', { host, image: linux() });
    const template = Template.fromStack(scope);

    const worker = environment(template, 'Runs slices');
    const ingress = environment(template, 'inboxes');
    expect(Object.keys(worker).sort()).toEqual([
      'ASSETS_BUCKET',
      'GUESTS',
      'QUEUE_URL',
      'SLICE_SECONDS',
      'TABLE_NAME',
    ]);
    expect(Object.keys(ingress).sort()).toEqual(['GUESTS', 'QUEUE_URL', 'TABLE_NAME']);
    expect(ingress['GUESTS']).toBe(worker['GUESTS']);

    const guests = JSON.parse(worker['GUESTS'] as string) as Record<string, string>;
    expect(Object.keys(guests)).toEqual(['First', 'Second']);
    const app = scope.node.root as App;
    expect(definitionOf(app, guests['First'])).toMatchObject({ memory: 256 << 20 });
    expect(definitionOf(app, guests['Second'])).toMatchObject({ memory: 128 << 20 });
  });

  test('the worker may do to the table, the queue and the assets what it does, and nothing else', () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    new VirtualMachine(scope, 'Guest', { host, image: linux() });
    const template = Template.fromStack(scope);
    const actions = (role: string) => statements(template, role).flatMap(({ Action }) => Action);

    expect(actions('HostWorkerRole').sort()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:GetObject',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
    expect([...new Set(actions('HostIngressRole'))].sort()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:SendMessage',
    ]);
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
    const document = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    expect(document).not.toContain('"Resource":"*"');
  });

  test('the worker may read exactly the objects of its guests', () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    new VirtualMachine(scope, 'Guest', { host, image: linux() });
    const template = Template.fromStack(scope);
    const guests = JSON.parse(environment(template, 'Runs slices')['GUESTS'] as string) as Record<
      string,
      string
    >;
    const definition = definitionOf(scope.node.root as App, guests['Guest']) as Record<
      string,
      { key: string }
    >;
    const keys = [guests['Guest'], ...['firmware', 'kernel', 'initrd'].map((role) => definition[role].key)];

    const [read] = statements(template, 'HostWorkerRole').filter(({ Action }) => Action === 's3:GetObject');
    const resources = read.Resource as { 'Fn::Join': [string, unknown[]] }[];
    expect(resources.map((resource) => resource['Fn::Join'][1].at(-1)).sort()).toEqual(
      keys.map((key) => `/${key}`).sort(),
    );
    for (const resource of resources) expect(JSON.stringify(resource)).not.toContain('*');
  });

  test('has memory for its largest guest and the engine, and no less than one CPU', () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    new VirtualMachine(scope, 'Small', { host, image: linux() });
    new VirtualMachine(scope, 'Large', { host, image: linux(), memory: Size.gibibytes(3) });
    Template.fromStack(scope).hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Runs slices of guests',
      MemorySize: 3072 + 160,
    });
  });

  test('grants sending by invoking the ingress, and waking by the queue', () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    const guest = new VirtualMachine(scope, 'Guest', { host, image: linux() });
    const role = (id: string) => new iam.Role(scope, id, { assumedBy: new iam.AccountRootPrincipal() });
    host.grantSend(role('Sender'));
    guest.grantSend(role('GuestSender'));
    host.grantWake(role('Waker'));
    const template = Template.fromStack(scope);
    for (const name of ['Sender', 'GuestSender']) {
      const [only, ...others] = statements(template, name).filter(
        ({ Action }) => Action === 'lambda:InvokeFunction',
      );
      expect(JSON.stringify(only.Resource)).toContain('HostIngress');
      expect(others).toEqual([]);
    }
    expect(statements(template, 'Waker')).toEqual([
      { Action: 'sqs:SendMessage', Effect: 'Allow', Resource: scope.resolve(host.queue.queueArn) as unknown },
    ]);
  });

  test('measures what its resources measure', () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    const metrics = {
      Invocations: host.metricSlices(),
      Errors: host.metricSliceErrors(),
      Duration: host.metricSliceDuration(),
      ApproximateAgeOfOldestMessage: host.metricTokenAge(),
      ApproximateNumberOfMessagesVisible: host.metricWaitingTokens({ period: Duration.minutes(1) }),
    };
    for (const [name, metric] of Object.entries(metrics)) expect(metric.metricName).toBe(name);
    expect(scope.resolve(host.metricSlices().dimensions)).toEqual({
      FunctionName: scope.resolve(host.worker.functionName) as unknown,
    });
    expect(scope.resolve(host.metricDeadTokens().dimensions)).toEqual({
      QueueName: scope.resolve(host.deadLetterQueue.queueName) as unknown,
    });
    expect(scope.resolve(host.metricUndeliveredEvents().dimensions)).toEqual({
      QueueName: scope.resolve(host.undeliveredQueue.queueName) as unknown,
    });
    expect(host.metricWaitingTokens({ period: Duration.minutes(1) }).period.toSeconds()).toBe(60);
  });

  test('can be referred to from another app', () => {
    const scope = stack();
    const arn = (service: string, resource: string) =>
      `arn:aws:${service}:eu-west-1:111122223333:${resource}`;
    const host = Host.fromHostAttributes(scope, 'Host', {
      tableArn: arn('dynamodb', 'table/state'),
      queueArn: arn('sqs', 'run'),
      workerArn: arn('lambda', 'function:worker'),
      ingressArn: arn('lambda', 'function:ingress'),
    });
    expect(host.table.tableName).toBe('state');
    expect(host.queue.queueName).toBe('run');
    const guest = VirtualMachine.fromVirtualMachineAttributes(scope, 'Guest', { host, guestId: 'Debian' });
    guest.grantSend(new iam.Role(scope, 'Sender', { assumedBy: new iam.AccountRootPrincipal() }));
    const template = Template.fromStack(scope);
    expect(statements(template, 'Sender')[0].Resource).toContain(arn('lambda', 'function:ingress'));
    template.resourceCountIs('AWS::Lambda::Function', 0);
  });

  test('passes the validation rules of the CDK as errors, which do find faults', () => {
    const sound = stack();
    const host = new Host(sound, 'Host', { pointInTimeRecovery: true });
    new VirtualMachine(sound, 'Guest', { host, image: linux() });
    (sound.node.root as App).synth();

    const unsound = stack();
    new Host(unsound, 'Host');
    Aspects.of(unsound).add({
      visit(node) {
        if (node instanceof CfnResource && node.cfnResourceType === 'AWS::Lambda::Function') {
          node.addPropertyOverride('Timeout', 5000);
        }
      },
    });
    expect(() => (unsound.node.root as App).synth()).toThrow('Timeout: 5000 exceeds maximum 900');
  });

  test('equal declarations give equal templates and assets', () => {
    const template = () => {
      const scope = stack();
      const host = new Host(scope, 'Host');
      new VirtualMachine(scope, 'Guest', { host, image: linux() });
      return Template.fromStack(scope).toJSON();
    };
    expect(template()).toEqual(template());
  });
});

describe('a host refuses', () => {
  const refuse = (message: RegExp, declare: (scope: Stack) => void) =>
    expect(() => declare(stack())).toThrow(message);

  test.each([100, 10_241, 1024.5])('a memorySize of %p', (memorySize) => {
    refuse(
      /^memorySize of Stack\/Host: .* is no memory of a Lambda function\. Give whole megabytes from 128 to 10240\.$/,
      (scope) => {
        new Host(scope, 'Host', { memorySize });
      },
    );
  });

  test.each([Duration.millis(500), Duration.millis(1500), Duration.seconds(0), Duration.seconds(781)])(
    'a slice of %s',
    (timeSlice) => {
      refuse(/^timeSlice of Stack\/Host: .* Give whole seconds from 1 to 780\.$/, (scope) => {
        new Host(scope, 'Host', { timeSlice });
      });
    },
  );

  test('a guest that its memory does not hold, and takes one that just fits', () => {
    const guest = (mebibytes: number) => (scope: Stack) =>
      new VirtualMachine(scope, 'Guest', {
        host: new Host(scope, 'Host', { memorySize: 512 }),
        image: linux(),
        memory: Size.mebibytes(mebibytes),
      });
    refuse(
      /^memory of Stack\/Guest: its 353 MiB and 160 MB for the engine are more than the memorySize of Stack\/Host, 512 MB\. Set the host's "memorySize" to 513 or more, or give the guest less "memory" or smaller disks, by 1 MiB\.$/,
      guest(353),
    );
    expect(() => guest(352)(stack())).not.toThrow();
  });

  test('a guest whose disks its memory does not hold', () => {
    const large = file('large.raw', '');
    fs.truncateSync(large, 40 * MEBIBYTE);
    const guest = (memorySize: number) => (scope: Stack) =>
      new VirtualMachine(scope, 'Guest', {
        host: new Host(scope, 'Host', { memorySize }),
        image: GuestImage.linux({ kernel, firmware, disks: [large] }),
        memory: Size.mebibytes(64),
      });
    refuse(
      /: its 64 MiB of RAM, 40 MiB of disks and 160 MB for the engine are more than .*, 256 MB\. /,
      guest(256),
    );
    expect(() => guest(264)(stack())).not.toThrow();
  });

  test('two guests of one id', () => {
    refuse(
      /^guest Stack\/Debian: its id "debian" is that of Stack\/Other on the same host\. Give one of them another "guestId"\.$/,
      (scope) => {
        const host = new Host(scope, 'Host');
        new VirtualMachine(scope, 'Other', { host, image: linux(), guestId: 'debian' });
        new VirtualMachine(scope, 'Debian', { host, image: linux(), guestId: 'debian' });
      },
    );
  });

  test('more guests than its environment holds, at the guest that is one too many', () => {
    const scope = stack();
    const host = new Host(scope, 'Host');
    const image = linux();
    const add = (index: number) =>
      new VirtualMachine(scope, `Guest${index}`, { host, image, guestId: `g${index}`.padEnd(63, 'x') });
    let count = 0;
    expect(() => {
      while (count < 100) add(count++);
    }).toThrow(
      /^guest Stack\/Guest(\d+): it is guest \d+ of Stack\/Host, and their list takes \d+ of the \d+ bytes that a function's environment has for it\. Put it on another host: this one holds \1\.$/,
    );
    // What was declared up to there fits into the 4,096 bytes that Lambda allows, with the longest names of the rest.
    expect(count).toBeGreaterThan(20);
  });

  test('a guest of another stack', () => {
    refuse(
      /^host of Other\/Guest: the guest is in stack Other and its host in Stack, .* Declare both in the same stack\.$/,
      (scope) => {
        const host = new Host(scope, 'Host');
        new VirtualMachine(new Stack(scope.node.root, 'Other'), 'Guest', { host, image: linux() });
      },
    );
  });
});

describe('the environment of a full host', () => {
  test('stays below the 4,096 bytes of Lambda with the longest names', () => {
    const scope = stack();
    const host = new Host(scope, 'Host', { timeSlice: Duration.minutes(13) });
    const image = GuestImage.linux({ kernel: file('small', kernelBytes({ imageSize: 4096 })), firmware });
    try {
      for (let index = 0; ; index++) new VirtualMachine(scope, `Guest${index}`, { host, image });
    } catch {
      // The host is full.
    }
    const worker = environment(Template.fromStack(scope), 'Runs slices');
    const longest: Record<string, string> = {
      TABLE_NAME: 't'.repeat(255),
      QUEUE_URL: `https://sqs.ap-southeast-1.amazonaws.com/111122223333/${'q'.repeat(80)}`,
      ASSETS_BUCKET: 'b'.repeat(63),
    };
    const bytes = Object.entries(worker)
      .map(([name, value]) => name.length + Buffer.byteLength(longest[name] ?? (value as string)))
      .reduce((sum, length) => sum + length, 0);
    expect(bytes).toBeLessThanOrEqual(4096);
    expect(bytes).toBeGreaterThan(3500);
  });
});
