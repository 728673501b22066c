/** Messages between the local cloud and a worker process, over Node's IPC channel. */

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stack: readonly string[];
}

/** To the worker: serve this invocation. */
export interface WorkerMessage {
  readonly requestId: string;
  readonly event: unknown;
  readonly functionArn: string;
  /** Milliseconds since the Unix epoch. */
  readonly deadline: number;
}

/** From the worker. */
export type RuntimeMessage =
  /** `since`: when it began to load the bundle (milliseconds since the epoch). */
  | { readonly kind: 'ready'; readonly since: number }
  | { readonly kind: 'failed'; readonly error: FunctionError }
  | { readonly kind: 'result'; readonly requestId: string; readonly payload: string }
  | { readonly kind: 'error'; readonly requestId: string; readonly error: FunctionError };
