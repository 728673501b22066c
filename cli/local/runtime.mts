/**
 * What runs inside a worker process: loads the function's bundle and serves
 * one invocation at a time, as Lambda's Node.js runtime does. It imports
 * nothing of ours, so that the bundle sees a process like Lambda's.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionError, RuntimeMessage, WorkerMessage } from './protocol.js';

type Handler = (
  event: unknown,
  context: object,
  callback: (error: unknown, result?: unknown) => void,
) => unknown;

/** What the parent's deadlines count by, whatever the function's own clock says. */
const trueNow = Date.now;

/** A machine whose clock is off: `Date` as the function sees it. */
function skewClock(milliseconds: number): void {
  globalThis.Date = new Proxy(Date, {
    construct: (target, parts, as) =>
      Reflect.construct(target, parts.length === 0 ? [target.now() + milliseconds] : parts, as) as object,
    get: (target, name) =>
      name === 'now' ? () => target.now() + milliseconds : (Reflect.get(target, name) as unknown),
  });
}

const environment = (name: string): string => process.env[name] ?? '';

/** `folder/index.handler`: the file without its extension, then the export. */
async function loadHandler(): Promise<Handler> {
  const [, path = '', exported = ''] = /^(.*)\.([^./]+)$/.exec(environment('_HANDLER')) ?? [];
  const file = ['.js', '.mjs', '.cjs']
    .map((extension) => join(environment('LAMBDA_TASK_ROOT'), path + extension))
    .find(existsSync);
  if (file === undefined) throw failure('Runtime.ImportModuleError', `cannot find module '${path}'`);
  const loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const module = (loaded['default'] ?? {}) as Record<string, unknown>;
  const handler = loaded[exported] ?? module[exported];
  if (typeof handler !== 'function') {
    throw failure('Runtime.HandlerNotFound', `${environment('_HANDLER')} is undefined or not exported`);
  }
  return handler as Handler;
}

function failure(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

function describe(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), stack: [] };
  return { errorType: error.name, errorMessage: error.message, stack: (error.stack ?? '').split('\n') };
}

function invoke(handler: Handler, message: WorkerMessage): Promise<unknown> {
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: environment('AWS_LAMBDA_FUNCTION_NAME'),
    functionVersion: environment('AWS_LAMBDA_FUNCTION_VERSION'),
    memoryLimitInMB: environment('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: environment('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: environment('AWS_LAMBDA_LOG_STREAM_NAME'),
    awsRequestId: message.requestId,
    invokedFunctionArn: message.functionArn,
    getRemainingTimeInMillis: () => Math.max(0, message.deadline - trueNow()),
  };
  return new Promise((resolve, reject) => {
    const callback = (error: unknown, result?: unknown) =>
      error === null || error === undefined ? resolve(result) : reject(error as Error);
    const returned = handler(message.event, context, callback);
    // A handler that takes three parameters and returns nothing answers through its callback.
    if (handler.length < 3 || returned !== undefined) Promise.resolve(returned).then(resolve, reject);
  });
}

function tell(message: RuntimeMessage): void {
  process.send?.(message, undefined, {}, (error: unknown) => {
    if (error) process.exit(1); // the parent is gone
  });
}

process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the parent decides when its workers stop.
process.on('SIGINT', () => undefined);

if (environment('LOCAL_CLOCK_SKEW_MS') !== '') skewClock(Number(environment('LOCAL_CLOCK_SKEW_MS')));

try {
  const since = trueNow();
  const handler = await loadHandler();
  process.on('message', (message: WorkerMessage) => {
    invoke(handler, message).then(
      (result) => {
        try {
          tell({ kind: 'result', requestId: message.requestId, payload: JSON.stringify(result ?? null) });
        } catch (error) {
          tell({ kind: 'error', requestId: message.requestId, error: describe(error) });
        }
      },
      (error: unknown) => tell({ kind: 'error', requestId: message.requestId, error: describe(error) }),
    );
  });
  tell({ kind: 'ready', since });
} catch (error) {
  tell({ kind: 'failed', error: describe(error) });
  process.exitCode = 1;
  process.disconnect?.();
}
