import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCredentials } from '@largepayload/testing/s3-servers/s3-server';
import { afterAll } from 'vitest';
import { ObjectStoreDriver, type ObjectStoreOptions } from '../object-store/object-store-driver.ts';
import { AwsSdkClient } from './aws-sdk-client.ts';
import type { S3Location } from './s3-client.ts';

export interface Asked {
  readonly method: string;
  /** as it stood in the request line */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Exchange extends Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The rest of the request's body. */
  body(): Promise<Buffer>;
}

/** Answers one request. What it throws fails the file in the end. */
export type Script = (exchange: Exchange) => unknown;

/** A server that answers as the test says, for what real ones do not do when asked. Ended after the tests of a file. */
export interface ScriptedServer {
  readonly endpoint: string;
  readonly location: S3Location;
  readonly credentialsFolder: string;
  /** the requests so far */
  readonly asked: readonly Asked[];
  /** connections that are open */
  connections(): Promise<number>;
  driver(options?: Partial<ObjectStoreOptions & S3Location>): ObjectStoreDriver;
}

const cleanUps: (() => unknown)[] = [];
afterAll(async () => {
  const outcomes = await Promise.allSettled(cleanUps.splice(0).map(async (cleanUp) => cleanUp()));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
});

export async function scriptedServer(script: Script): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const failures: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '', headers } = request;
    asked.push({ method, path, headers });
    // What S3 says of every object; a script that plays somebody else removes it.
    response.setHeader('ETag', '"0123456789abcdef"');
    const body = async () => Buffer.concat(await request.toArray());
    try {
      await script({ method, path, headers, request, response, body });
    } catch (error) {
      // A client that leaves is part of some tests.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') failures.push(error);
      response.destroy();
    }
  };
  const server = createServer(answer).on('checkContinue', answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'scripted-s3-'));
  cleanUps.push(() => {
    rmSync(folder, { recursive: true });
    server.close();
    server.closeAllConnections();
    if (failures.length > 0) throw failures[0];
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const location = { bucket: 'payloads', endpoint, prefix: '', forcePathStyle: true };
  const credentialsFolder = writeCredentials(join(folder, 'credentials'));
  return {
    endpoint,
    location,
    credentialsFolder,
    asked,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    driver: (options = {}) => {
      const client = new AwsSdkClient({ ...location, ...options }, credentialsFolder);
      cleanUps.push(() => client.close());
      return new ObjectStoreDriver(client, { ...location, ...options });
    },
  };
}

/** Takes one script after the other, the last one for all further requests. */
export function inTurn(...scripts: Script[]): Script {
  let next = 0;
  return (exchange) => {
    const script = scripts[Math.min(next, scripts.length - 1)];
    next += 1;
    return script?.(exchange);
  };
}

/** Takes the body and says yes. */
export const ok =
  (headers: Record<string, string> = {}): Script =>
  async ({ response, body }) => {
    await body();
    response.writeHead(200, headers).end();
  };

/** Takes the body and says no, as S3 does. */
export const refusal =
  (status: number, code: string, headers: Record<string, string> = {}, more = ''): Script =>
  async ({ method, response, body }) => {
    await body();
    const text = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>in its words</Message>${more}</Error>`;
    response.writeHead(status, { 'Content-Type': 'application/xml', ...headers });
    response.end(method === 'HEAD' ? undefined : text);
  };

/** A listing as S3 writes it, which says what was asked for; `content` is what it found. */
export function listingFor(path: string, content = ''): string {
  const { searchParams } = new URL(path, 'http://bucket');
  const echoed = [
    ['Name', 'payloads'],
    ['Prefix', searchParams.get('prefix') ?? ''],
    ['Delimiter', searchParams.get('delimiter') ?? ''],
    ['EncodingType', 'url'],
  ].map(([name, text]) => (text === '' ? '' : `<${name}>${text}</${name}>`));
  const rest = content.includes('<IsTruncated>') ? '' : '<IsTruncated>false</IsTruncated>';
  return `<?xml version="1.0"?><ListBucketResult>${echoed.join('')}${rest}${content}</ListBucketResult>`;
}

export const broken: Script = ({ request }) => request.socket.destroy();
