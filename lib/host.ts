import { Duration, Lazy, RemovalPolicy, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as destinations from 'aws-cdk-lib/aws-lambda-destinations';
import * as event_sources from 'aws-cdk-lib/aws-lambda-event-sources';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3_assets from 'aws-cdk-lib/aws-s3-assets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { bundleDirectory, BundleName } from './bundle';
import { DeclarationError } from './declaration-error';
import { HostAttributes, HostBase, IHost, ImportedHost } from './host-base';
import { HistoryOptions, historyEnvironment } from './history';
import { assetKey } from './image/image-assets';
import { describeSize, MEBIBYTE } from './image/size';
import { limits } from './limits';
import { PackStorage } from './pack-storage';

/** Properties of a {@link Host}. */
export interface HostProps {
  /**
   * Memory of the worker function in megabytes: at least the largest guest's RAM and disks, and 160 for the engine.
   *
   * @default - what the largest guest needs, and at least 1,769, which gives one whole CPU
   */
  readonly memorySize?: number;

  /**
   * How long a guest runs before its state is committed; whole seconds, at most 13 minutes. Longer slices cost
   * fewer checkpoints, shorter ones show the guest's output sooner and lose less work with a worker.
   *
   * @default Duration.minutes(1)
   */
  readonly timeSlice?: Duration;

  /**
   * CPU architecture of the worker function. Guests are RISC-V on either, and may move between them.
   *
   * @default lambda.Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * What becomes of the state table, and so of all guests' state, when the host is deleted.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether the state table can be restored to any second of the last 35 days.
   *
   * @default false
   */
  readonly pointInTimeRecovery?: boolean;

  /**
   * Throughput that the state table has from the start. A new table takes about 4 MB/s.
   *
   * @default - that of a new on-demand table
   */
  readonly warmThroughput?: dynamodb.WarmThroughput;

  /**
   * How long the functions' logs are kept.
   *
   * @default logs.RetentionDays.ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * How much of its guests' past is kept, to go back to, to fork and to replay: see `hv history`.
   *
   * @default - the present generation and the one before
   */
  readonly history?: HistoryOptions;

  /**
   * Where the pages of checkpoints lie. A host keeps its storage for life: guests do not move from one to another.
   *
   * @default PackStorage.table()
   */
  readonly packStorage?: PackStorage;

  /**
   * Whether run tokens are served. The kill switch: with false no guest runs, and tokens and events wait.
   *
   * @default true
   */
  readonly enabled?: boolean;
}

/**
 * A guest as its host needs to know it.
 *
 * @internal
 */
export interface GuestRegistration {
  readonly guestId: string;
  /** Construct path, for messages. */
  readonly path: string;
  /** RAM in bytes. */
  readonly memory: number;
  /** Its disks or layers, which a worker holds in memory. */
  readonly storage: { readonly kind: 'disks' | 'layers'; readonly bytes: number };
  readonly definition: s3_assets.Asset;
  readonly files: readonly s3_assets.Asset[];
}

/** All that the worker does to the table, and no more. */
const WORKER_TABLE_ACTIONS = [
  'GetItem',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'Query',
  'BatchGetItem',
  'BatchWriteItem',
].map((action) => `dynamodb:${action}`);

/** Packs are written once, read, and deleted. */
const PACK_ACTIONS = ['GetObject', 'PutObject', 'DeleteObject'].map((action) => `s3:${action}`);

/** What it takes to find an inbox's end, to put an event there, and to see whether it is there already. */
const INGRESS_TABLE_ACTIONS = ['GetItem', 'PutItem', 'Query'].map((action) => `dynamodb:${action}`);

/**
 * A wake token that finds its guest running goes back into the queue, so being received some times is no sign of
 * a fault. More than the attempts after which the worker's breaker suspends a guest (lambdas/worker/breaker.ts), so
 * that a guest without progress ends suspended, with a reason, rather than in the dead-letter queue.
 */
const MAX_RECEIVE_COUNT = 20;

/**
 * What runs guests. Run tokens in a queue ask for slices; a worker function runs one slice of one guest for each,
 * and commits the guest's state to a table.
 */
export class Host extends HostBase {
  /** Refers to a host that another app declares. Guests can be sent events there, but not added. */
  public static fromHostAttributes(scope: Construct, id: string, attributes: HostAttributes): IHost {
    return new ImportedHost(scope, id, attributes);
  }

  public readonly table: dynamodb.ITableV2;
  public readonly queue: sqs.IQueue;
  public readonly worker: lambda.IFunction;
  public readonly ingress: lambda.IFunction;

  /** Run tokens that no worker could serve. */
  public readonly deadLetterQueue: sqs.IQueue;
  /** Events that could not be written into an inbox. */
  public readonly undeliveredQueue: sqs.IQueue;
  /** Rings when there is a message in `deadLetterQueue`. Add actions to be told. */
  public readonly deadLetterAlarm: cloudwatch.Alarm;
  /** Rings when there is a message in `undeliveredQueue`. Add actions to be told. */
  public readonly undeliveredAlarm: cloudwatch.Alarm;

  /** Rings when a guest was suspended by its breaker, or cannot go on. Add actions to be told. */
  public readonly stoppedGuestsAlarm: cloudwatch.Alarm;

  private readonly memorySize: number | undefined;
  private readonly guests = new Map<string, GuestRegistration>();

  constructor(scope: Construct, id: string, props: HostProps = {}) {
    super(scope, id);
    this.memorySize = checkMemorySize(this, props.memorySize);
    const timeSlice = checkTimeSlice(this, props.timeSlice ?? Duration.minutes(1));
    const timeout = timeSlice.plus(limits.flushMargin);

    // The cast: TableV2 declares its optional properties in a way that `exactOptionalPropertyTypes` refuses.
    this.table = new dynamodb.TableV2(this, 'Table', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billing: dynamodb.Billing.onDemand(),
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: props.pointInTimeRecovery ?? false },
      ...(props.warmThroughput && { warmThroughput: props.warmThroughput }),
    }) as dynamodb.ITableV2;

    const deadLetters = this.addDeadLetters(
      'DeadLetters',
      'A run token could not be served: its guest stands still.',
    );
    this.deadLetterQueue = deadLetters.queue;
    this.deadLetterAlarm = deadLetters.alarm;
    this.queue = new sqs.Queue(this, 'Queue', {
      // Six times the function's timeout, as AWS advises: a throttled poller must not make a token appear twice.
      visibilityTimeout: Duration.seconds(timeout.toSeconds() * 6),
      retentionPeriod: Duration.days(14),
      enforceSSL: true,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });

    const packs = (props.packStorage ?? PackStorage.table())._bind(
      this,
      props.removalPolicy ?? RemovalPolicy.RETAIN,
    );
    const worker = this.addFunction('Worker', 'worker', props, {
      description: 'Runs slices of guests',
      memorySize: Lazy.number({ produce: () => this.workerMemory() }),
      timeout,
      // A slice asks for the next one through the queue, which Lambda takes for a runaway loop after 16 hops. The
      // worker's own breaker stands in for that guard.
      recursiveLoop: lambda.RecursiveLoop.ALLOW,
      environment: {
        SLICE_SECONDS: timeSlice.toSeconds().toString(),
        ASSETS_BUCKET: Lazy.string({ produce: () => this.assetsBucket() }),
        ...historyEnvironment(this.node.path, props.history ?? {}),
        ...(packs && { PACKS_BUCKET: packs.bucketName }),
      },
    });
    worker.addToRolePolicy(statement(WORKER_TABLE_ACTIONS, this.table.tableArn));
    if (packs) {
      worker.addToRolePolicy(statement(PACK_ACTIONS, packs.arnForObjects('*')));
      // Without the right to list, a missing object looks like a forbidden one.
      worker.addToRolePolicy(statement(['s3:ListBucket'], packs.bucketArn));
    }
    this.worker = worker;
    this.grantWake(worker);
    worker.addEventSource(
      new event_sources.SqsEventSource(this.queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        enabled: props.enabled ?? true,
      }),
    );

    this.stoppedGuestsAlarm = this.addStoppedGuestsAlarm();

    const undelivered = this.addDeadLetters(
      'Undelivered',
      'An event could not be written into the inbox of its guest.',
    );
    this.undeliveredQueue = undelivered.queue;
    this.undeliveredAlarm = undelivered.alarm;
    const ingress = this.addFunction('Ingress', 'ingress', props, {
      description: 'Writes events into the inboxes of guests and wakes them',
      memorySize: 256,
      timeout: Duration.seconds(30),
      onFailure: new destinations.SqsDestination(this.undeliveredQueue),
    });
    ingress.addToRolePolicy(statement(INGRESS_TABLE_ACTIONS, this.table.tableArn));
    this.ingress = ingress;
    this.grantWake(ingress);
  }

  /** Run tokens that no worker could serve. Default: maximum over 5 minutes. */
  public metricDeadTokens(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(props);
  }

  /** Events that could not be delivered. Default: maximum over 5 minutes. */
  public metricUndeliveredEvents(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.undeliveredQueue.metricApproximateNumberOfMessagesVisible(props);
  }

  /**
   * Takes a guest on: the functions learn of it, and the worker may read its files.
   *
   * @internal
   */
  public _register(guest: GuestRegistration): void {
    const { guestId } = guest;
    const namesake = this.guests.get(guestId);
    if (namesake !== undefined) {
      throw new DeclarationError(
        `guest ${guest.path}`,
        `its id "${guestId}" is that of ${namesake.path} on the same host`,
        'Give one of them another "guestId"',
      );
    }
    this.checkFits(guest);
    this.guests.set(guestId, guest);
    this.checkEnvironment(guest);
    const keys = [guest.definition, ...guest.files].map((asset) =>
      asset.bucket.arnForObjects(assetKey(asset)),
    );
    this.worker.addToRolePolicy(statement(['s3:GetObject'], ...new Set(keys)));
  }

  private addDeadLetters(
    id: string,
    alarmDescription: string,
  ): { queue: sqs.Queue; alarm: cloudwatch.Alarm } {
    const queue = new sqs.Queue(this, id, { retentionPeriod: Duration.days(14), enforceSSL: true });
    const alarm = new cloudwatch.Alarm(this, `${id}Alarm`, {
      metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      alarmDescription,
    });
    return { queue, alarm };
  }

  private addStoppedGuestsAlarm(): cloudwatch.Alarm {
    // What the worker writes into its log in the embedded metric format (lambdas/worker/embedded-metrics.ts).
    const metric = (metricName: string) =>
      new cloudwatch.Metric({
        namespace: 'cdk-hypervisor',
        metricName,
        dimensionsMap: { host: this.worker.functionName },
        statistic: 'Sum',
        period: Duration.minutes(1),
      });
    return new cloudwatch.Alarm(this, 'StoppedGuestsAlarm', {
      metric: new cloudwatch.MathExpression({
        expression: 'FILL(suspended, 0) + FILL(failed, 0)',
        usingMetrics: { suspended: metric('suspended'), failed: metric('failed') },
        period: Duration.minutes(1),
      }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      alarmDescription: 'A guest was suspended by its breaker, or failed: its head says why.',
    });
  }

  private addFunction(
    id: string,
    bundle: BundleName,
    props: HostProps,
    options: lambda.FunctionOptions & { readonly description: string },
  ): lambda.Function {
    const logGroup = new logs.LogGroup(this, `${id}Logs`, {
      retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of its own, since the one that Lambda gives by default may write to every log group.
    const role = new iam.Role(this, `${id}Role`, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `${options.description} (${this.node.path})`,
    });
    logGroup.grantWrite(role);
    return new lambda.Function(this, id, {
      ...options,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(bundleDirectory(bundle)),
      role,
      logGroup,
      environment: {
        ...options.environment,
        TABLE_NAME: this.table.tableName,
        QUEUE_URL: this.queue.queueUrl,
        GUESTS: Lazy.string({ produce: () => this.guestKeys() }),
      },
    });
  }

  /** JSON: guest id -> key of its definition, in the order of ids, so that equal hosts have equal templates. */
  private guestKeys(): string {
    const entries = [...this.guests.values()].map(
      (guest) => [guest.guestId, assetKey(guest.definition)] as const,
    );
    return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))));
  }

  /** All assets of a stack lie in one bucket; a host without guests needs none. */
  private assetsBucket(): string | undefined {
    const [first] = this.guests.values();
    return first?.definition.s3BucketName;
  }

  private workerMemory(): number {
    if (this.memorySize !== undefined) return this.memorySize;
    const needed = [...this.guests.values()].map(neededMemory);
    return Math.max(limits.oneCpuMemory, ...needed);
  }

  private checkFits(guest: GuestRegistration): void {
    const needed = neededMemory(guest);
    const memorySize = this.memorySize ?? limits.functionMemory.most;
    if (needed <= memorySize) return;
    const { kind, bytes } = guest.storage;
    const storage = bytes === 0 ? '' : ` of RAM, ${describeSize(bytes)} of ${kind}`;
    const smaller = `give the guest less "memory" or smaller ${kind}, by ${needed - memorySize} MiB`;
    throw new DeclarationError(
      `memory of ${guest.path}`,
      `its ${describeSize(guest.memory)}${storage} and ${limits.engineMemory} MB for the engine are more than the memorySize of ${this.node.path}, ${memorySize} MB`,
      needed > limits.functionMemory.most
        ? smaller.replace('give', 'Give')
        : `Set the host's "memorySize" to ${needed} or more, or ${smaller}`,
    );
  }

  private checkEnvironment(guest: GuestRegistration): void {
    const bytes = Buffer.byteLength(this.guestKeys());
    const room = limits.environment - limits.environmentReserve;
    if (bytes <= room) return;
    throw new DeclarationError(
      `guest ${guest.path}`,
      `it is guest ${this.guests.size} of ${this.node.path}, and their list takes ${bytes} of the ${room} bytes that a function's environment has for it`,
      `Put it on another host: this one holds ${this.guests.size - 1}`,
    );
  }
}

/** Megabytes that a worker needs for the guest. Lambda's megabytes are mebibytes. */
function neededMemory(guest: GuestRegistration): number {
  return Math.ceil((guest.memory + guest.storage.bytes) / MEBIBYTE) + limits.engineMemory;
}

function statement(actions: string[], ...resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions, resources });
}

function checkMemorySize(host: Host, memorySize: number | undefined): number | undefined {
  const { least, most } = limits.functionMemory;
  if (memorySize === undefined) return undefined;
  if (
    Token.isUnresolved(memorySize) ||
    !Number.isInteger(memorySize) ||
    memorySize < least ||
    memorySize > most
  ) {
    throw new DeclarationError(
      `memorySize of ${host.node.path}`,
      `${Token.isUnresolved(memorySize) ? 'a value that is not known at synth' : memorySize} is no memory of a Lambda function`,
      `Give whole megabytes from ${least} to ${most}`,
    );
  }
  return memorySize;
}

function checkTimeSlice(host: Host, timeSlice: Duration): Duration {
  const most = limits.functionTimeout.minus(limits.flushMargin);
  const milliseconds = timeSlice.isUnresolved() ? NaN : timeSlice.toMilliseconds();
  if (!(milliseconds >= 1000 && milliseconds % 1000 === 0 && milliseconds <= most.toMilliseconds())) {
    throw new DeclarationError(
      `timeSlice of ${host.node.path}`,
      `${timeSlice.isUnresolved() ? 'a value that is not known at synth' : timeSlice.toHumanString()} is no slice: a worker runs for at most ${limits.functionTimeout.toHumanString()} and keeps ${limits.flushMargin.toHumanString()} to commit`,
      `Give whole seconds from 1 to ${most.toSeconds()}`,
    );
  }
  return timeSlice;
}
