import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setDefaultCACertificates } from 'node:tls';
import { httpServer } from '@largepayload/testing/servers/test-server';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { writeClusterFolder } from '@largepayload/testing/tokens/cluster-folder';
import { TokenIssuer } from '@largepayload/testing/tokens/token-issuer';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { clusterKeys, oidcKeys } from './key-sources.ts';

const AUTHORITY = testAuthority('cluster');
const { certificate: cert, key } = AUTHORITY.issue();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'key-sources-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

afterEach(() => {
  vi.unstubAllEnvs();
});

const never = new AbortController().signal;
const clusterFolder = (token: string, authority = AUTHORITY.certificate) =>
  writeClusterFolder(join(folder, crypto.randomUUID()), `${token}\n`, authority);

test('keys of a cluster are fetched with the token of the pod, which is read again each time', async () => {
  await using issuer = await TokenIssuer.start({ tls: { cert, key }, token: 'first' });
  issuer.discovery = {
    issuer: 'https://kubernetes.default.svc.cluster.local',
    jwks_uri: 'https://10.0.0.1/keys',
  };
  const path = await clusterFolder('first');
  const source = clusterKeys({ folder: path, url: issuer.url });
  const loaded = await source.load(never);
  expect(loaded.issuer).toBe('https://kubernetes.default.svc.cluster.local');
  expect([...loaded.keys.keys()]).toEqual([issuer.key.id]);
  await writeFile(join(path, 'token'), 'second');
  await expect(source.load(never)).rejects.toThrow(
    `${issuer.url}/.well-known/openid-configuration: it answers 401`,
  );
  await writeFile(join(path, 'token'), 'first');
  expect((await source.load(never)).keys.size).toBe(1);
});

test.each<[what: string, access: (path: string) => Promise<unknown>, fault: RegExp]>([
  ['no token yet', (path) => rm(join(path, 'token')), /ENOENT.*token/],
  ['an empty token', (path) => writeFile(join(path, 'token'), '\n'), /token is empty/],
  [
    'a token that is no header',
    (path) => writeFile(join(path, 'token'), 'a\r\nb: c'),
    /impossible header Authorization/,
  ],
  ['no authority yet', (path) => rm(join(path, 'ca.crt')), /ENOENT.*ca.crt/],
  [
    'an authority that is no certificate',
    (path) => writeFile(join(path, 'ca.crt'), 'x'),
    /certificate|PEM|no start line/i,
  ],
  [
    'another authority',
    (path) => writeFile(join(path, 'ca.crt'), testAuthority().certificate),
    /certificate|issuer/i,
  ],
])('%s: the keys of a cluster cannot be fetched, and no token leaves', async (_what, change, fault) => {
  await using issuer = await TokenIssuer.start({ tls: { cert, key } });
  const path = await clusterFolder('secret-token');
  await change(path);
  const failure = await clusterKeys({ folder: path, url: issuer.url })
    .load(never)
    .catch((error: Error) => error);
  expect(failure).toMatchObject({ message: expect.stringMatching(fault) });
  expect((failure as Error).message).not.toContain('secret-token');
  expect(issuer.requests).toEqual([]);
});

test('a proxy is asked for an issuer elsewhere, and not for the API server', async () => {
  await using cluster = await TokenIssuer.start({ tls: { cert, key } });
  await using proxy = await httpServer((_request, response) => response.writeHead(407).end());
  const names = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];
  for (const name of names) vi.stubEnv(name, name.toLowerCase().startsWith('no') ? '' : proxy.url);
  const { keys } = await clusterKeys({ folder: await clusterFolder('t'), url: cluster.url }).load(never);
  expect(keys.size).toBe(1);
  expect(proxy.connections).toHaveLength(0);
  await expect(oidcKeys('http://127.0.0.1:9').load(never)).rejects.toThrow('407');
  expect(proxy.connections).not.toHaveLength(0);
});

test('keys of an issuer elsewhere are found by discovery, without any token', async () => {
  await using issuer = await TokenIssuer.start();
  const heads: IncomingMessage['headers'][] = [];
  const { answer } = issuer;
  issuer.answer = (request, response) => {
    heads.push(request.headers);
    response.end(
      JSON.stringify(
        request.url?.startsWith('/.well')
          ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys?set=1` }
          : issuer.jwks,
      ),
    );
  };
  expect((await oidcKeys(issuer.url).load(never)).keys.size).toBe(1);
  expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys?set=1']);
  expect(heads.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  expect(answer).toBeUndefined();
});

test('the discovery document of an issuer with a path is below that path', async () => {
  await using issuer = await TokenIssuer.start();
  await expect(oidcKeys(`${issuer.url}/realms/ci`).load(never)).rejects.toThrow('it answers 404');
  await expect(oidcKeys(`${issuer.url}/`).load(never)).rejects.toThrow(`it is of the issuer "${issuer.url}"`);
  expect(issuer.requests).toEqual([
    '/realms/ci/.well-known/openid-configuration',
    '/.well-known/openid-configuration',
  ]);
});

test.each<[what: string, discovery: object, fault: RegExp]>([
  ['of another issuer', { issuer: 'https://other.example' }, /it is of the issuer "https:\/\/other.example"/],
  ['without an issuer', { issuer: undefined }, /it has no issuer/],
  ['with an issuer in a list', { issuer: ['https://a'] }, /it has no issuer/],
  ['without the address of keys', { jwks_uri: undefined }, /it has no jwks_uri/],
  [
    'with keys at a plain address',
    { jwks_uri: 'http://keys.example/' },
    /jwks_uri "http:\/\/keys.example\/" does not begin with https/,
  ],
  ['with keys in a file', { jwks_uri: 'file:///etc/passwd' }, /jwks_uri "file:.* does not begin with https/],
  ['with keys at no address', { jwks_uri: 'keys' }, /does not begin with https/],
])('a discovery document %s is refused', async (_what, discovery, fault) => {
  await using issuer = await TokenIssuer.start();
  issuer.discovery = { ...discovery };
  await expect(oidcKeys(issuer.url).load(never)).rejects.toThrow(fault);
  expect(issuer.requests).toEqual(['/.well-known/openid-configuration']);
});

test('an issuer elsewhere cannot name keys on this machine', async () => {
  // For all later tests of this file, none of which asks an issuer that others vouch for.
  setDefaultCACertificates([AUTHORITY.certificate]);
  await using issuer = await TokenIssuer.start({ tls: { cert, key } });
  expect((await oidcKeys(issuer.url).load(never)).keys.size).toBe(1);
  issuer.discovery = { jwks_uri: 'http://127.0.0.1:9099/' };
  await expect(oidcKeys(issuer.url).load(never)).rejects.toThrow(
    'jwks_uri "http://127.0.0.1:9099/" does not begin with https://',
  );
});

test('an issuer by plain HTTP is asked on this machine only', async () => {
  await expect(oidcKeys('http://issuer.example').load(never)).rejects.toThrow('does not begin with https://');
  await expect(oidcKeys('http://[::1]:1').load(never)).rejects.toThrow('http://[::1]:1/.well-known/');
});

const endless = (_request: IncomingMessage, response: ServerResponse) => {
  const more = () => {
    if (response.destroyed) return;
    response.write(' '.repeat(64 * 1024), () => setImmediate(more));
  };
  more();
};

test.each<
  [what: string, answer: (request: IncomingMessage, response: ServerResponse) => void, fault: RegExp]
>([
  [
    'a redirect',
    (_, response) => response.writeHead(302, { Location: 'http://169.254.169.254/' }).end(),
    /it answers 302, which is not followed/,
  ],
  [
    'HTML',
    (_, response) => response.setHeader('Content-Type', 'text/html').end('<html>login</html>'),
    /answers text\/html, which is no JSON/,
  ],
  ['a list', (_, response) => response.end('[]'), /JSON that is no object/],
  ['null', (_, response) => response.end('null'), /JSON that is no object/],
  ['nothing', (_, response) => response.end(), /no JSON/],
  [
    'JSON with a million parts',
    (_, response) => response.end(`{"a":[${'[],'.repeat(80_000)}[]]}`),
    /too many parts/,
  ],
  [
    'JSON of 1 MB',
    (_, response) => response.end(`{"a":"${'x'.repeat(1_000_000)}"}`),
    /answers 1000008 bytes/,
  ],
  [
    '1 GB',
    (_, response) => response.writeHead(200, { 'Content-Length': 1e9 }).write('{'),
    /200 with more than 4194304 bytes/,
  ],
  ['bytes without an end', endless, /200 with more than 4194304 bytes/],
  [
    'an answer that is cut short',
    (request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('{', () => request.socket.destroy());
    },
    /closed|cut short|ECONNRESET/,
  ],
  ['no HTTP', (request) => request.socket.end('hello'), /answer that begins with/],
  ['no answer', (request) => request.socket.destroy(), /closed/],
  ['an error', (_, response) => response.writeHead(500).end('token'), /it answers 500$/],
  ['no keys', (_, response) => response.end('{}'), /no list "keys"/],
])(
  'an issuer that answers %s for its keys gives none, and the reason says so',
  async (_what, answer, fault) => {
    await using issuer = await TokenIssuer.start();
    issuer.answer = (request, response) => {
      if (!request.url?.startsWith('/.well')) return answer(request, response);
      response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }));
    };
    const failure = await oidcKeys(issuer.url)
      .load(never)
      .catch((error: Error) => error.message);
    expect(failure).toMatch(fault);
    expect(failure).toContain(`${issuer.url}/keys: `);
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  },
);

test('an issuer that does not answer is given up with the signal', async () => {
  await using issuer = await TokenIssuer.start();
  issuer.answer = () => {};
  const stop = new AbortController();
  const loading = oidcKeys(issuer.url).load(stop.signal);
  stop.abort(new Error('late'));
  await expect(loading).rejects.toThrow('late');
});
