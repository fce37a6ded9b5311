import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import { decodeMetadataHeader, digestOf, metadataHash } from '@largepayload/codec';
import { httpServer, httpsServer, type TestServer } from '../servers/test-server.ts';

/** A service with correct PUT and GET of the wire API, and payloads in memory. */
export interface MemoryService extends TestServer {
  /** Data by key. */
  readonly blobs: Map<string, Uint8Array>;
  /** Method and path of every request, e.g. `PUT /v2/blobs/put`. */
  readonly calls: string[];
}

/** @param tls the service speaks TLS, if given */
export async function memoryService(
  onRequest: (request: IncomingMessage) => void = () => undefined,
  tls?: SecureContextOptions,
): Promise<MemoryService> {
  const blobs = new Map<string, Uint8Array>();
  const calls: string[] = [];
  const listener: RequestListener = async (request, response) => {
    onRequest(request);
    const url = new URL(request.url ?? '', 'http://service');
    calls.push(`${request.method} ${url.pathname}`);
    if (request.method === 'PUT') await put(blobs, url, request, response).catch(() => response.destroy());
    else get(blobs, url, response);
  };
  const server = await (tls === undefined ? httpServer(listener) : httpsServer(tls, listener));
  return Object.assign(server, { blobs, calls });
}

async function put(
  blobs: Map<string, Uint8Array>,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const data = Buffer.concat(await request.toArray());
  const metadata = decodeMetadataHeader(String(request.headers['x-temporal-metadata']));
  const key = `/blobs/${url.searchParams.get('namespace')}/common/${digestOf(data)}/${metadataHash(metadata)}`;
  response.statusCode = blobs.has(key) ? 200 : 201;
  blobs.set(key, data);
  response.end(JSON.stringify({ Key: key }));
}

function get(blobs: Map<string, Uint8Array>, url: URL, response: ServerResponse): void {
  const data = blobs.get(url.searchParams.get('key') ?? `blobs/${url.searchParams.get('digest')}`);
  if (data !== undefined) {
    response.setHeader('Content-Length', data.byteLength).end(data);
    return;
  }
  response.statusCode = 404;
  response.end(JSON.stringify({ error: { code: 'key_not_found', message: 'no such payload' } }));
}
