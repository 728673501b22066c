/** SQS and S3 in a process of their own, for the real SDK clients: the package is ESM only, which jest does not load. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface LocalServices {
  /** Endpoint of both. */
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

const PROGRAM = `
  import { buildApp } from 'fauxqs';
  console.log(await buildApp({ logger: false }).listen({ port: 0, host: '127.0.0.1' }));
  process.stdin.on('end', () => process.exit(0)).resume();
`;

export async function localServices(): Promise<LocalServices> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const started = once(lines, 'line').then(([line]: unknown[]) => String(line));
  const endpoint = await Promise.race([started, closed.then(() => undefined)]);
  if (endpoint === undefined) throw new Error('the local queue did not start');
  return {
    endpoint,
    close: async () => {
      child.stdin.end();
      await closed;
    },
  };
}
