/**
 * A local cloud for one stack of a synthesized assembly: its tables and
 * queues behind the real SDK, its assets, and its functions in processes of
 * their own that run the very bundles in the assembly.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { readAssembly } from './assembly';
import { serveAssets } from './assets';
import { createBuckets } from './buckets';
import { startEmulators, type EmulatorProcess } from './emulator-process';
import { Chains } from './chains';
import { LocalCloudError } from './errors';
import { Faults, skewOf, type FaultOptions } from './faults/faults';
import { startFaultProxy, type Interference, type Watch } from './faults/proxy';
import type { LocalServer } from './http-server';
import { DUMMY_CREDENTIALS, functionConfiguration, type Endpoints } from './function-configuration';
import { substitutePlaceholders, text } from './intrinsics';
import type { ServiceRequest } from './faults/request';
import { DEFAULT_REGION } from './limits';
import { permissionsOf } from './permissions';
import { Poller, type PollerOptions } from './poller';
import { createQueues, QUEUE_TYPES } from './queues';
import { resolveResources, type Resource, type StackResources } from './resources';
import { Scratch } from './scratch';
import { createTables, TABLE_TYPES } from './tables';
import { WorkerPool, type Placement } from './worker-pool';
import type { InvocationResult, WorkerProcess, WorkerProcessOptions } from './worker-process';

const FUNCTION = 'AWS::Lambda::Function';
const MAPPING = 'AWS::Lambda::EventSourceMapping';

export interface LocalCloudOptions extends PollerOptions, WorkerProcessOptions {
  /** Directory of the assembly, e.g. `cdk.out`. */
  readonly assembly: string;
  /** Needed only when the assembly has several stacks. */
  readonly stack?: string;
  /** Worker processes a function, at most. Default: 2. */
  readonly workers?: number;
  /** Default: reuse. */
  readonly placement?: Placement;
  /** Environment variables on top of the template's, for every function. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What goes wrong between the functions and the table and queues. Default: nothing. */
  readonly faults?: FaultOptions;
  /** Told of every request of a function to table and queues, before and after it is carried out. */
  readonly watch?: Watch;
}

export class LocalCloud {
  readonly region: string;
  readonly endpoints: Endpoints;
  readonly resources: StackResources;
  /** Clients of the local services, for whoever looks at the stack from outside. */
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  private readonly emulators: EmulatorProcess;
  private readonly assetServer: LocalServer;
  private readonly scratch: Scratch;
  private readonly proxies: readonly LocalServer[];
  /** What went wrong so far; undefined without `faults`. */
  readonly faults: Faults | undefined;
  private readonly pools: ReadonlyMap<string, WorkerPool>;
  private readonly pollers: readonly Poller[];

  private constructor(
    started: Started,
    resources: StackResources,
    pools: ReadonlyMap<string, WorkerPool>,
    pollers: readonly Poller[],
  ) {
    this.region = started.region;
    this.endpoints = started.endpoints;
    this.dynamodb = started.dynamodb;
    this.sqs = started.sqs;
    this.emulators = started.emulators;
    this.assetServer = started.assetServer;
    this.scratch = started.scratch;
    this.proxies = started.proxies;
    this.faults = started.faults;
    this.resources = resources;
    this.pools = pools;
    this.pollers = pollers;
  }

  /** @throws LocalCloudError naming the file, or the resource and its type, that the local cloud cannot take. */
  static async start(options: LocalCloudOptions): Promise<LocalCloud> {
    const assembly = readAssembly(options.assembly, options.stack);
    const region = assembly.region ?? DEFAULT_REGION;
    // Refuses what it does not know before any process starts; ports do not matter for that.
    resolveResources(assembly, { region, queueEndpoint: 'http://127.0.0.1' }).ofType(
      ...TABLE_TYPES,
      ...QUEUE_TYPES,
      FUNCTION,
      MAPPING,
    );

    const emulators = await startEmulators(region);
    const resources = resolveResources(assembly, { region, queueEndpoint: emulators.endpoints.sqs });
    const assets = assembly.assets.map((asset) => ({
      ...asset,
      bucketName: substitutePlaceholders(asset.bucketName, resources.scope),
      objectKey: substitutePlaceholders(asset.objectKey, resources.scope),
    }));
    const assetServer = await serveAssets(assets, emulators.endpoints.s3);
    const scratch = new Scratch();
    const faults = options.faults && new Faults(options.faults, () => performance.now());
    const proxies: LocalServer[] = [];
    try {
      const endpoints: Endpoints = { ...emulators.endpoints, s3: assetServer.endpoint };
      const common = { region, credentials: DUMMY_CREDENTIALS };
      const dynamodb = new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb });
      const sqs = new SQSClient({ ...common, endpoint: endpoints.sqs });
      await createTables(dynamodb, resources.ofType(...TABLE_TYPES));
      await createBuckets(emulators.endpoints.s3, region, resources);
      await createQueues(sqs, resources.ofType(...QUEUE_TYPES));
      const pools = new Map<string, WorkerPool>();
      const chains = new Map<string, Chains>();
      for (const resource of resources.ofType(FUNCTION)) {
        const permissions = permissionsOf(resource, resources, region);
        const loops = resource.properties['RecursiveLoop'] === 'Allow' ? undefined : new Chains();
        if (loops !== undefined) chains.set(resource.logicalId, loops);
        const served = await behindProxies(
          endpoints,
          {
            faults,
            watch: options.watch,
            denial: permissions && ((request) => permissions.denial(request)),
            answered: loops && ((request, answer) => followMessages(loops, request, answer)),
          },
          proxies,
        );
        pools.set(
          resource.logicalId,
          new WorkerPool(
            functionConfiguration(resource, { region, endpoints: served, assets }, options.environment),
            options.workers ?? 2,
            options.placement ?? 'reuse',
            scratch,
            skewed(options),
          ),
        );
      }
      const sources = resources
        .ofType(MAPPING)
        .filter(({ properties }) => properties['Enabled'] !== false)
        .map((mapping) => eventSource(mapping, resources, pools, region));
      const pollers = sources.map(
        ({ source, pool }) =>
          new Poller(sqs, source, pool, guarded(options, chains.get(pool.configuration.logicalId))),
      );
      return new LocalCloud(
        { region, endpoints, dynamodb, sqs, emulators, assetServer, scratch, faults, proxies },
        resources,
        pools,
        pollers,
      );
    } catch (error) {
      await Promise.all([emulators.stop(), assetServer.close(), ...proxies.map((proxy) => proxy.close())]);
      scratch.remove();
      throw error;
    }
  }

  /** Worker processes that are alive, of every function. */
  get workers(): WorkerProcess[] {
    return [...this.pools.values()].flatMap((pool) => pool.workers);
  }

  /** Physical name of a resource, e.g. a table's. */
  nameOf(logicalId: string): string {
    return this.resources.get(logicalId, ...TABLE_TYPES, ...QUEUE_TYPES, FUNCTION).name;
  }

  /** Environment of a function's workers, as the template and the options give it. */
  environmentOf(functionLogicalId: string): Readonly<Record<string, string>> {
    return this.pool(functionLogicalId).configuration.environment;
  }

  queueUrlOf(queueLogicalId: string): string {
    const { logicalId } = this.resources.get(queueLogicalId, ...QUEUE_TYPES);
    return text(this.resources.scope.ref(logicalId), 'a queue URL');
  }

  /** Synchronous invocation; waits for a free worker. Never rejects for what the function does. */
  invoke(functionLogicalId: string, payload: unknown): Promise<InvocationResult> {
    return this.pool(functionLogicalId).invoke(payload);
  }

  /** Puts one message into a queue: a string as it is, anything else as JSON. */
  async send(queueLogicalId: string, body: unknown): Promise<void> {
    await this.sqs.send(
      new SendMessageCommand({
        QueueUrl: this.queueUrlOf(queueLogicalId),
        MessageBody: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  }

  /** SIGKILL; the pool starts another process when it needs one. */
  async kill(worker: WorkerProcess): Promise<void> {
    await worker.kill();
  }

  /** Ends every process and server. Nothing is left running. */
  async stop(): Promise<void> {
    const polling = this.pollers.map((poller) => poller.stop());
    await Promise.all([...this.pools.values()].map((pool) => pool.stop()));
    await Promise.all(polling);
    this.dynamodb.destroy();
    this.sqs.destroy();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await Promise.all([this.emulators.stop(), this.assetServer.close()]);
    this.scratch.remove();
  }

  private pool(functionLogicalId: string): WorkerPool {
    const { logicalId } = this.resources.get(functionLogicalId, FUNCTION);
    const pool = this.pools.get(logicalId);
    if (pool === undefined) throw new LocalCloudError(`${functionLogicalId} has no workers`);
    return pool;
  }
}

interface Started {
  readonly region: string;
  readonly endpoints: Endpoints;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly emulators: EmulatorProcess;
  readonly assetServer: LocalServer;
  readonly scratch: Scratch;
  readonly faults: Faults | undefined;
  readonly proxies: readonly LocalServer[];
}

function skewed(options: LocalCloudOptions): WorkerProcessOptions {
  const { faults } = options;
  return faults?.clockSkewMs === undefined
    ? options
    : { ...options, clockSkewMs: (worker) => skewOf(faults, worker) };
}

/** Messages that a function sends are hops of the chain that it is in. */
function followMessages(chains: Chains, { operation, worker }: ServiceRequest, answer: Buffer): void {
  if (operation !== 'SendMessage') return;
  const id = /"MessageId"\s*:\s*"([^"]+)"/.exec(answer.toString())?.[1];
  if (id !== undefined) chains.sent(worker, id);
}

/** A function whose loops are not allowed gets no event of a chain that is too long. */
function guarded(options: LocalCloudOptions, chains: Chains | undefined): PollerOptions {
  if (chains === undefined) return options;
  return {
    ...options,
    admits: (event) => chains.admits(event),
    invoked: (worker, event) => {
      chains.begins(worker.id, event);
      options.invoked?.(worker, event);
    },
  };
}

/** The functions' endpoints: the servers themselves, or proxies in front of them when anyone interferes. */
async function behindProxies(
  endpoints: Endpoints,
  interference: Interference,
  started: LocalServer[],
): Promise<Endpoints> {
  if (Object.values(interference).every((part) => part === undefined)) return endpoints;
  const [dynamodb, sqs] = await Promise.all([
    startFaultProxy('dynamodb', endpoints.dynamodb, interference),
    startFaultProxy('sqs', endpoints.sqs, interference),
  ]);
  started.push(dynamodb, sqs);
  return { ...endpoints, dynamodb: dynamodb.endpoint, sqs: sqs.endpoint };
}

function eventSource(
  mapping: Resource,
  resources: StackResources,
  pools: ReadonlyMap<string, WorkerPool>,
  region: string,
) {
  const { properties, logicalId } = mapping;
  const queue = resources
    .ofType(...QUEUE_TYPES)
    .find(
      (resource) => resources.scope.attribute(resource.logicalId, 'Arn') === properties['EventSourceArn'],
    );
  if (queue === undefined) {
    throw new LocalCloudError(
      `${logicalId} (${MAPPING}): its source ${JSON.stringify(properties['EventSourceArn'])} is no queue of the stack; ` +
        'the local cloud polls queues only',
    );
  }
  const pool = [...pools.values()].find(({ configuration }) =>
    [configuration.name, configuration.arn].includes(text(properties['FunctionName'] ?? '', 'FunctionName')),
  );
  if (pool === undefined) {
    throw new LocalCloudError(`${logicalId} (${MAPPING}): its function is not in the stack`);
  }
  const responseTypes = (properties['FunctionResponseTypes'] ?? []) as readonly string[];
  return {
    pool,
    source: {
      queueUrl: text(resources.scope.ref(queue.logicalId), 'a queue URL'),
      queueArn: text(resources.scope.attribute(queue.logicalId, 'Arn'), 'EventSourceArn'),
      region,
      batchSize: Number(properties['BatchSize'] ?? 10),
      reportBatchItemFailures: responseTypes.includes('ReportBatchItemFailures'),
    },
  };
}
