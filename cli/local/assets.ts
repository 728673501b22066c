/**
 * The assets bucket: a read-only S3 (GetObject, HeadObject, ranges) that
 * streams files straight from the assembly, so nothing is uploaded or copied.
 * Other buckets are another server's, behind the same endpoint.
 * Amazon S3 API Reference, "GetObject".
 */
import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset } from './assembly';
import { forward, serveLocally, type LocalServer } from './http-server';

/** An asset at its place: placeholders in the names are resolved. */
export type PlacedAsset = Asset;

/** Serves assets of packaging `file`; zipped directories are run in place, never fetched. */
export async function serveAssets(
  assets: readonly PlacedAsset[],
  otherBuckets: string,
): Promise<LocalServer> {
  const assetBuckets = new Set(assets.map(({ bucketName }) => bucketName));
  const files = new Map(
    assets
      .filter((asset) => asset.packaging === 'file')
      .map((asset) => [`/${asset.bucketName}/${asset.objectKey}`, asset.path]),
  );
  return serveLocally((request, response) => {
    const [, bucket = ''] = pathOf(request).split('/');
    if (assetBuckets.has(bucket)) answer(files, request, response);
    else forward(otherBuckets, request, response);
  });
}

function answer(
  files: ReadonlyMap<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = pathOf(request);
  const file = files.get(path);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(request, response, 405, 'MethodNotAllowed', 'the assets bucket is read-only');
  }
  if (file === undefined) {
    return refuse(request, response, 404, 'NoSuchKey', `the assembly has no asset ${path}`);
  }
  let size: number;
  try {
    size = statSync(file).size;
  } catch {
    return refuse(request, response, 404, 'NoSuchKey', `${file} is gone from the assembly`);
  }
  const range = request.headers.range;
  const span = range === undefined ? { start: 0, end: size - 1 } : parseRange(range, size);
  if (span === undefined) {
    return refuse(request, response, 416, 'InvalidRange', `${range} does not lie in ${size} bytes`);
  }
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': Math.max(0, span.end - span.start + 1),
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: `"${path}"`,
    ...(range === undefined ? {} : { 'content-range': `bytes ${span.start}-${span.end}/${size}` }),
  });
  if (request.method === 'HEAD' || size === 0) return void response.end();
  createReadStream(file, span)
    .on('error', () => response.destroy())
    .pipe(response);
}

function pathOf(request: IncomingMessage): string {
  try {
    return decodeURIComponent((request.url ?? '').replace(/\?.*$/, ''));
  } catch {
    return '';
  }
}

/** One range of bytes (RFC 9110, section 14.1.2), as S3 takes it. */
function parseRange(range: string, size: number): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end && start < size ? { start, end } : undefined;
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message.replace(
    /[<&>]/g,
    '?',
  )}</Message></Error>`;
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
