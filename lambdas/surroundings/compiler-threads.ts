/** A thread beside the guests' that compiles for them, where there is a processor for it. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Compiled, Compiler } from '../../engine/cpu/translator/compiler';

/** MB of a Lambda function that come with one processor; AWS Lambda Developer Guide, "Configure memory". */
const MEGABYTES_A_PROCESSOR = 1769;
/** Processors below which a second thread would only take time from the guest's. */
const PROCESSORS = 1.5;

/**
 * How many processors there are. A Lambda function sees more of them than it
 * may use: its memory says what that is.
 */
export function processors(environment: Readonly<Record<string, string | undefined>>): number {
  const memory = environment['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'];
  return Math.min(
    availableParallelism(),
    memory === undefined ? Infinity : Number(memory) / MEGABYTES_A_PROCESSOR,
  );
}

/**
 * Makes a compiler for each guest, all in one thread, which is started for the first. Undefined where nothing would be
 * gained, or where the thread's program (compiler.js, beside the bundle) is not there, as when sources are run as they
 * are.
 */
export function threadCompilers(
  program = join(__dirname, 'compiler.js'),
  environment: Readonly<Record<string, string | undefined>> = process.env,
): (() => Compiler | undefined) | undefined {
  if (processors(environment) < PROCESSORS || !existsSync(program)) return undefined;
  let thread: Thread | undefined;
  return () => (thread ??= new Thread(program)).compiler();
}

class Thread {
  private readonly worker: Worker;
  private failure: string | undefined;

  constructor(program: string) {
    // Code is compiled when its module is, in the thread, and not when the guest first comes to it.
    setFlagsFromString('--no-wasm-lazy-compilation');
    this.worker = new Worker(program);
    this.worker.on('error', (error: unknown) => (this.failure = String(error)));
    this.worker.on('exit', (code) => (this.failure ??= `its thread ended with code ${code}`));
    this.worker.unref(); // keeps no process alive
  }

  compiler(): Compiler {
    const { port1: ours, port2: theirs } = new MessageChannel();
    this.worker.postMessage(theirs, [theirs]);
    return {
      begin: (order) => ours.postMessage(order, [order.bytes.buffer]),
      take: () => {
        const received = receiveMessageOnPort(ours) as { message: Compiled } | undefined;
        if (received) return received.message;
        return this.failure === undefined ? undefined : { failed: this.failure };
      },
    };
  }
}
