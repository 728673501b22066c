/** The thread that compiles: takes orders, and sends modules back. Bundled by itself, since it is another program. */
import { parentPort, type MessagePort } from 'node:worker_threads';
import { instructionsFor } from '../../engine/cpu/instruction-sets';
import { OrderCompiler, type CompileOrder } from '../../engine/cpu/translator/compiler';

/** Each guest has a port of its own. */
parentPort?.on('message', (port: MessagePort) => {
  const compiler = new OrderCompiler(instructionsFor);
  port.on('message', (order: CompileOrder) => port.postMessage(carriedOut(compiler, order)));
});

function carriedOut(compiler: OrderCompiler, order: CompileOrder): unknown {
  try {
    return compiler.carryOut(order);
  } catch (error) {
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
