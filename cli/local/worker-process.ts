/**
 * One execution environment of a function: a child process that holds the
 * loaded bundle and serves one invocation at a time. Timeout and memory limit
 * are enforced from outside, by SIGKILL, as Lambda does.
 */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { forkModule } from './children';
import type { FunctionConfiguration } from './function-configuration';
import { LIMITS } from './limits';
import type { FunctionError, RuntimeMessage, WorkerMessage } from './protocol';

export type Outcome = 'success' | 'error' | 'timeout' | 'out-of-memory' | 'crashed' | 'payload-too-large';

export interface InvocationResult {
  readonly requestId: string;
  readonly outcome: Outcome;
  /** The handler's result, JSON-decoded; undefined unless `outcome` is success. */
  readonly value: unknown;
  readonly error: FunctionError | undefined;
  /** From hand-over to answer; what a cold start took is not in it. */
  readonly milliseconds: number;
  readonly maximumResidentBytes: number;
}

export interface WorkerProcessOptions {
  /** Every complete line that the function writes. */
  readonly log?: (worker: WorkerProcess, line: string) => void;
  /** How often the memory is looked at. Default: 50 ms. */
  readonly memoryCheckMilliseconds?: number;
  /** By how many milliseconds a process's clock is off. Default: none is. */
  readonly clockSkewMs?: (worker: string) => number;
}

interface Invocation {
  readonly requestId: string;
  readonly startedAt: number;
  readonly finish: (outcome: Outcome, value: unknown, error?: FunctionError) => void;
}

export class WorkerProcess {
  readonly id: string;
  readonly configuration: FunctionConfiguration;
  private readonly child: ChildProcess;
  private readonly ready: Promise<FunctionError | undefined>;
  private readonly gone: Promise<void>;
  private readonly options: WorkerProcessOptions;
  private invocation: Invocation | undefined;
  private causeOfDeath: { readonly outcome: Outcome; readonly error: FunctionError } | undefined;
  private maximumResident = 0;
  private served = 0;
  private loading: number | undefined;

  /** `temporaryDirectory`: the process's /tmp, empty, deleted when it ends. */
  constructor(
    id: string,
    configuration: FunctionConfiguration,
    temporaryDirectory: string,
    options: WorkerProcessOptions = {},
  ) {
    this.id = id;
    this.configuration = configuration;
    this.options = options;
    this.child = forkModule('runtime', {
      cwd: configuration.directory,
      env: {
        ...configuration.environment,
        AWS_LAMBDA_LOG_STREAM_NAME: `local/${id}`,
        // Tells the requests of one process from another's (AWS SDKs Reference, "Application ID").
        AWS_SDK_UA_APP_ID: `worker-${id}`,
        ...(options.clockSkewMs === undefined
          ? {}
          : { LOCAL_CLOCK_SKEW_MS: String(options.clockSkewMs(id)) }),
        TMPDIR: temporaryDirectory,
        HOME: temporaryDirectory,
      },
    });
    this.gone = new Promise((resolve) => {
      this.child.once('exit', resolve);
      this.child.once('error', resolve);
    });
    void this.gone.then(() => rmSync(temporaryDirectory, { recursive: true, force: true }));
    this.ready = this.initialise();
    this.child.on('message', (message: RuntimeMessage) => this.receive(message));
    this.child.once('exit', (code, signal) => this.died(signal ?? `exit code ${code}`));
    this.child.on('error', (error) => this.died(error.message));
    for (const stream of [this.child.stdout, this.child.stderr]) this.follow(stream);
    this.watchMemory();
  }

  /** When the process was started (milliseconds since the epoch). */
  readonly spawnedAt = Date.now();

  /** When it began to load its bundle, as Lambda's init phase begins; undefined until it has. */
  get loadingSince(): number | undefined {
    return this.loading;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get alive(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get busy(): boolean {
    return this.invocation !== undefined;
  }

  /** Invocations answered so far. */
  get invocations(): number {
    return this.served;
  }

  /** When the current invocation began (milliseconds since the epoch); undefined when idle. */
  get busySince(): number | undefined {
    return this.invocation?.startedAt;
  }

  /** Runs the handler once. Never rejects: what went wrong is in the result. */
  async invoke(event: unknown): Promise<InvocationResult> {
    if (this.invocation !== undefined) throw new Error(`worker ${this.id} serves an invocation already`);
    const requestId = randomUUID();
    let settle: (result: InvocationResult) => void = () => undefined;
    const answer = new Promise<InvocationResult>((resolve) => (settle = resolve));
    const clock: { timeout?: NodeJS.Timeout } = {};
    let startedAt = Date.now();
    this.invocation = {
      requestId,
      startedAt,
      finish: (outcome, value, error) => {
        clearTimeout(clock.timeout);
        this.invocation = undefined;
        this.served += 1;
        const milliseconds = Date.now() - startedAt;
        settle({
          requestId,
          outcome,
          value,
          error,
          milliseconds,
          maximumResidentBytes: this.maximumResident,
        });
      },
    };
    const size = Buffer.byteLength(JSON.stringify(event) ?? '');
    if (size > LIMITS.synchronousPayload) {
      this.invocation.finish('payload-too-large', undefined, payloadError('request', size));
      return answer;
    }
    const failed = await this.ready;
    // The process may have died while it started; `died` has answered then.
    if (this.invocation?.requestId !== requestId) return answer;
    if (failed !== undefined || !this.alive) {
      this.invocation.finish('crashed', undefined, failed ?? crash('the worker process is gone'));
      return answer;
    }
    startedAt = Date.now();
    const { timeoutSeconds, arn } = this.configuration;
    clock.timeout = setTimeout(
      () => this.destroy('timeout', `${requestId} Task timed out after ${timeoutSeconds.toFixed(2)} seconds`),
      timeoutSeconds * 1000,
    );
    const message: WorkerMessage = {
      requestId,
      event,
      functionArn: arn,
      deadline: startedAt + timeoutSeconds * 1000,
    };
    this.child.send(message, (error) => {
      if (error !== null) this.destroy('crashed', `cannot reach the worker process: ${error.message}`);
    });
    return answer;
  }

  /** SIGKILL, as a machine that fails. Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.alive) this.child.kill('SIGKILL');
    await this.gone;
  }

  private initialise(): Promise<FunctionError | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () =>
          this.destroy('crashed', `initialisation took more than ${LIMITS.initialisationSeconds} seconds`),
        LIMITS.initialisationSeconds * 1000,
      );
      const settle = (error: FunctionError | undefined) => {
        clearTimeout(timer);
        resolve(error);
      };
      this.child.on('message', (message: RuntimeMessage) => {
        if (message.kind === 'ready') {
          this.loading = message.since;
          settle(undefined);
        }
        if (message.kind === 'failed') settle(message.error);
      });
      void this.gone.then(() => settle(crash('the worker process ended while it started')));
    });
  }

  private receive(message: RuntimeMessage): void {
    if (message.kind === 'failed') this.invocation?.finish('crashed', undefined, message.error);
    if (message.kind !== 'result' && message.kind !== 'error') return;
    if (message.requestId !== this.invocation?.requestId) return;
    if (message.kind === 'error') return this.invocation.finish('error', undefined, message.error);
    const size = Buffer.byteLength(message.payload);
    if (size > LIMITS.synchronousPayload) {
      return this.invocation.finish('payload-too-large', undefined, payloadError('response', size));
    }
    this.invocation.finish('success', JSON.parse(message.payload));
  }

  private destroy(outcome: Outcome, message: string): void {
    this.causeOfDeath ??= {
      outcome,
      error: { ...crash(message), errorType: ERROR_TYPES[outcome] ?? 'Runtime.ExitError' },
    };
    this.child.kill('SIGKILL');
  }

  private died(how: string): void {
    const cause = this.causeOfDeath ?? {
      outcome: 'crashed' as const,
      error: crash(`the worker process ended: ${how}`),
    };
    this.invocation?.finish(cause.outcome, undefined, cause.error);
  }

  private follow(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    stream?.on('data', (bytes: Buffer) => {
      const lines = (rest + bytes.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.options.log?.(this, line);
    });
    stream?.on('end', () => rest !== '' && this.options.log?.(this, rest));
  }

  private watchMemory(): void {
    const limit = this.configuration.memorySize * 1024 * 1024;
    const timer = setInterval(() => {
      const resident = residentBytes(this.child.pid);
      if (resident === undefined) return;
      this.maximumResident = Math.max(this.maximumResident, resident);
      if (resident <= limit) return;
      this.destroy(
        'out-of-memory',
        `the function uses ${Math.ceil(resident / 1024 / 1024)} MB, its memorySize is ${this.configuration.memorySize} MB; raise memorySize`,
      );
    }, this.options.memoryCheckMilliseconds ?? 50);
    timer.unref();
    void this.gone.then(() => clearInterval(timer));
  }
}

const ERROR_TYPES: Partial<Record<Outcome, string>> = {
  timeout: 'Sandbox.Timedout',
  'out-of-memory': 'Runtime.OutOfMemory',
};

function crash(errorMessage: string): FunctionError {
  return { errorType: 'Runtime.ExitError', errorMessage, stack: [] };
}

function payloadError(what: string, size: number): FunctionError {
  return {
    errorType: 'Function.PayloadTooLarge',
    errorMessage: `the ${what} is ${size} bytes, at most ${LIMITS.synchronousPayload} are allowed`,
    stack: [],
  };
}

/** Resident set of a process (proc(5), `VmRSS`); undefined where there is no /proc, and then no limit is enforced. */
function residentBytes(pid: number | undefined): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}
