import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { httpsServer, type TlsTestServer } from '@largepayload/testing/servers/test-server';
import { type TestCertificate, testAuthority } from '@largepayload/testing/tls/test-authority';
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

/** A folder for files of tests, and two authorities that do not know each other. */
export interface Authorities extends AsyncDisposable {
  readonly folder: string;
  readonly ours: Authority;
  readonly other: Authority;
}

export interface Authority {
  /** file with the certificate of the authority */
  readonly caFile: string;
  /** for 127.0.0.1 */
  readonly server: SecureContextOptions;
  readonly elsewhere: SecureContextOptions;
  readonly expired: SecureContextOptions;
  readonly early: SecureContextOptions;
}

export async function makeAuthorities(): Promise<Authorities> {
  const folder = await mkdtemp(join(tmpdir(), 'codec-access-'));
  const [ours, other] = await Promise.all([authority(folder, 'ours'), authority(folder, 'other')]);
  return { folder, ours, other, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function authority(folder: string, name: string): Promise<Authority> {
  const { certificate, issue } = testAuthority(name);
  const hourMs = 3_600_000;
  const optionsOf = (pair: TestCertificate) => ({ cert: pair.certificate, key: pair.key });
  return {
    caFile: await fileWith(folder, `${name}.crt`, certificate),
    server: optionsOf(issue()),
    elsewhere: optionsOf(issue(['elsewhere.test'])),
    expired: optionsOf(issue(undefined, { notAfter: Date.now() - hourMs })),
    early: optionsOf(issue(undefined, { notBefore: Date.now() + hourMs })),
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
