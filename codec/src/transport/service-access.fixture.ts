import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { writeCertificates } from '@largepayload/testing/cluster/certificates';
import { httpsServer, type TlsTestServer } from '@largepayload/testing/servers/test-server';
import { vi } from 'vitest';
import { digestOf } from '../wire/digest.ts';
import type { GetRequest } from './blob-client.ts';

export const data = new Uint8Array(1_000).fill(7);
const digest = digestOf(data);
export const wanted: GetRequest = {
  key: `/blobs/orders/common/${digest}/${digest}`,
  size: data.byteLength,
  digest,
};

/** Two authorities that do not know each other, each with a certificate for 127.0.0.1. */
export interface Authorities extends AsyncDisposable {
  readonly folder: string;
  readonly ours: Authority;
  readonly other: Authority;
}

export interface Authority {
  /** file with the certificate of the authority */
  readonly caFile: string;
  readonly server: SecureContextOptions;
  /** of the same authority, for another host */
  readonly elsewhere: SecureContextOptions;
}

export async function makeAuthorities(): Promise<Authorities> {
  const folder = await mkdtemp(join(tmpdir(), 'codec-access-'));
  const [ours, other] = await Promise.all([
    authority(join(folder, 'ours')),
    authority(join(folder, 'other')),
  ]);
  return {
    folder,
    ours,
    other,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function authority(folder: string): Promise<Authority> {
  await writeCertificates(folder, [
    { name: 'server', subject: '/CN=gateway', addresses: ['IP:127.0.0.1'] },
    { name: 'elsewhere', subject: '/CN=gateway', addresses: ['DNS:elsewhere.test'] },
  ]);
  const pair = async (name: string) => ({
    cert: await readFile(join(folder, `${name}.crt`)),
    key: await readFile(join(folder, `${name}.key`)),
  });
  return {
    caFile: join(folder, 'ca.crt'),
    server: await pair('server'),
    elsewhere: await pair('elsewhere'),
  };
}

/** A gateway that serves {@link wanted} to those who show the token of the moment. */
export interface TestGateway extends TlsTestServer {
  /** `Authorization` of each request. */
  readonly shown: (string | undefined)[];
  /** undefined: any token, or none */
  token: string | undefined;
}

export async function startGateway(tls: SecureContextOptions): Promise<TestGateway> {
  const state: { shown: (string | undefined)[]; token: string | undefined } = { shown: [], token: undefined };
  const server = await httpsServer(tls, (request: IncomingMessage, response: ServerResponse) => {
    const { authorization } = request.headers;
    state.shown.push(authorization);
    const isRefused = gateway.token !== undefined && authorization !== `Bearer ${gateway.token}`;
    if (!isRefused) return void response.end(data);
    const error = { code: 'token_refused', message: 'the token has expired' };
    response.writeHead(503, { 'Retry-After': 0 }).end(JSON.stringify({ error }));
  });
  const gateway: TestGateway = Object.assign(server, state);
  return gateway;
}

/** Writes a file into the folder, and resolves with its path. */
export async function fileWith(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Moves the monotonic clock on, until `vi.restoreAllMocks()`. */
export function pass(milliseconds: number): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + milliseconds);
}
