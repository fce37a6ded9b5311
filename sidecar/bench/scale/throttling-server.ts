import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerError, answerXml } from '@largepayload/testing/fault-proxy/s3-answers';

/** Answers the listing that a driver asks for at its start. */
const NOTHING =
  '<ListBucketResult><Name>bench</Name><Prefix>expires-</Prefix><Delimiter>/</Delimiter><IsTruncated>false</IsTruncated></ListBucketResult>';

/** An S3 server that keeps nothing: it takes a PUT, or answers it `503 SlowDown`. @param takes by the PUT's key */
export async function startThrottlingServer(takes: (key: string) => boolean) {
  const attempts = new Map<string, number>();
  const server = createServer(async (request, response) => {
    for await (const _chunk of request);
    const key = decodeURIComponent(request.url ?? '').replace(/^\/bench\/|\?.*/g, '');
    if (request.method === 'PUT') attempts.set(key, (attempts.get(key) ?? 0) + 1);
    if (request.method === 'HEAD') response.writeHead(404).end();
    else if (request.method !== 'PUT') answerXml(response, 200, NOTHING);
    else if (takes(key)) response.writeHead(200, { ETag: '"0123456789abcdef"', 'Content-Length': 0 }).end();
    else answerError(response, 503, { code: 'SlowDown', message: 'Please reduce your request rate.' });
  });
  // A connection that closes as a PUT begins would cost requests of its own.
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  /** requests so far, by key */
  const attemptsOf = (key: string) => attempts.get(key) ?? 0;
  return { endpoint, attemptsOf, stop };
}
