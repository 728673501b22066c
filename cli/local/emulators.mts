/**
 * The process that serves DynamoDB (dynalite), SQS and S3 (fauxqs) on loopback
 * ports of the system's choice. Tells its parent the endpoints, and ends when
 * the parent does.
 */
import { createRequire } from 'node:module';
import type { IncomingMessage, Server } from 'node:http';
import { buildApp } from 'fauxqs';

const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server;

const region = process.env['AWS_REGION'] ?? 'us-east-1';

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(portOf(server)));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serveQueues(): Promise<number> {
  const app = buildApp({ logger: false, defaultRegion: region });
  // fauxqs names queues http://sqs.<region>.localhost:<port>/..., which many resolvers cannot look up, and
  // knows them by exactly that text; ours are http://127.0.0.1:<port>/....
  app.addHook('preHandler', async (request: { body: unknown; headers: IncomingMessage['headers'] }) => {
    const body = request.body as { QueueUrl?: unknown } | undefined;
    if (typeof body?.QueueUrl !== 'string' || !URL.canParse(body.QueueUrl)) return;
    const url = new URL(body.QueueUrl);
    body.QueueUrl = `http://sqs.${region}.localhost:${url.port}${url.pathname}`;
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return portOf(app.server);
}

process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the parent decides when its servers stop.
process.on('SIGINT', () => undefined);

const [dynamodb, sqs] = await Promise.all([
  listen(dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })),
  serveQueues(),
]);
// fauxqs serves buckets on the port of the queues.
process.send?.({
  dynamodb: `http://127.0.0.1:${dynamodb}`,
  sqs: `http://127.0.0.1:${sqs}`,
  s3: `http://127.0.0.1:${sqs}`,
});
