/**
 * Stands between the functions' SDK and a local server, and lets go wrong what `Faults` says. `watch` is told of each
 * request before it goes on and after it was carried out, while its sender still waits: whoever wants a worker dead at
 * exactly one step of the protocol kills it there.
 */
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { serveLocally, type LocalServer } from '../http-server';
import type { Faults, Verdict } from './faults';
import { readRequest, type Service, type ServiceRequest } from './request';

/** False: the request is lost, or its answer. */
export type Watch = (request: ServiceRequest, when: 'before' | 'after') => Promise<boolean>;

/** What a request goes through; absent parts are left out. */
export interface Interference {
  readonly faults?: Faults | undefined;
  readonly watch?: Watch | undefined;
  /** Why a request is not allowed. */
  readonly denial?: ((request: ServiceRequest) => string | undefined) | undefined;
  /** Told of what the service answered. */
  readonly answered?: ((request: ServiceRequest, answer: Buffer) => void) | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** `target`: the server's endpoint, `http://host:port`. */
export async function startFaultProxy(
  service: Service,
  target: string,
  interference: Interference,
): Promise<LocalServer> {
  return serveLocally((request, response) => {
    serve(service, target, interference, request, response).catch(() => response.destroy());
  });
}

async function serve(
  service: Service,
  target: string,
  { faults, watch, denial, answered: tell }: Interference,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bytesOf(incoming);
  const request = readRequest(service, incoming.headers, body);
  const denied = denial?.(request);
  if (denied !== undefined)
    return refuse(response, { kind: 'refuse', error: 'AccessDeniedException', status: 400 }, denied);
  const verdict: Verdict = faults?.judge(request) ?? { kind: 'pass' };
  if ((await watch?.(request, 'before')) === false) return void response.destroy();
  if (faults !== undefined) await pause(faults.delay());
  if (verdict.kind === 'lost') return void response.destroy();
  if (verdict.kind === 'refuse') return refuse(response, verdict);
  const carried = verdict.kind === 'late' ? delayed(request, verdict.seconds) : body;
  let answer = await pass(target, incoming, carried);
  if (verdict.kind === 'twice') answer = await pass(target, incoming, carried);
  tell?.(request, answer.body);
  const answered = (await watch?.(request, 'after')) ?? true;
  if (verdict.kind === 'applied' || !answered) return void response.destroy();
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function pass(target: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(target);
  return new Promise((resolve, reject) => {
    const onward = forward(
      { hostname, port, method, path: url, headers: { ...headers, 'content-length': String(body.length) } },
      (answer) => {
        bytesOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: bytes }),
          reject,
        );
      },
    );
    onward.once('error', reject);
    onward.end(body);
  });
}

/** A message, sent with so many seconds' delay more: SQS's longest is 900. */
function delayed({ input }: ServiceRequest, seconds: number): Buffer {
  const delay = Math.min(900, Number(input['DelaySeconds'] ?? 0) + seconds);
  return Buffer.from(JSON.stringify({ ...input, DelaySeconds: delay }));
}

/** As AWS's JSON protocols write errors. */
function refuse(
  response: ServerResponse,
  { error, status }: Extract<Verdict, { kind: 'refuse' }>,
  message = 'by the fault proxy',
): void {
  const body = JSON.stringify({ __type: `com.amazonaws#${error}`, message });
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': error });
  response.end(body);
}
