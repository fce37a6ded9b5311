import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type createServer as createRawServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCredentials } from '@largepayload/testing/s3-servers/s3-server';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { contentOf, factsOf, inChunks, never, putInto, someBytes, someName } from '../conformance/subject.ts';
import { ObjectStoreDriver } from '../object-store/object-store-driver.ts';
import { AwsSdkClient } from './aws-sdk-client.ts';
import type { S3Location } from './s3-client.ts';

const name = someName('on the way');
const bytes = someBytes(300_000);

let folder: string;
let certificate: string;
const servers: { close(): unknown }[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls-'));
  writeCredentials(folder);
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')];
  const subject = [
    '-subj',
    '/CN=a private authority',
    '-addext',
    'subjectAltName=DNS:localhost,DNS:*.s3.test',
  ];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, ...files], { stdio: 'pipe' });
  certificate = readFileSync(join(folder, 'certificate.pem'), 'utf8');
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const inherited = Object.fromEntries(proxyVariables.map((variable) => [variable, process.env[variable]]));
beforeEach(() => {
  for (const variable of proxyVariables) delete process.env[variable];
});
afterEach(() => {
  for (const variable of proxyVariables) delete process.env[variable];
  for (const [variable, value] of Object.entries(inherited))
    if (value !== undefined) process.env[variable] = value;
});

async function portOf(server: Server | ReturnType<typeof createRawServer>): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Takes every object and gives one. */
async function secureStorage() {
  const seen: string[] = [];
  const options = { key: readFileSync(join(folder, 'key.pem')), cert: certificate };
  const server = createSecureServer(options, async (request, response) => {
    seen.push(
      `${request.method} ${request.headers.host?.replace(/:\d+$/, '')}${request.url?.replace(/\?.*/, '')}`,
    );
    await request.toArray();
    response.setHeader('ETag', '"0123456789abcdef"').end(request.method === 'GET' ? bytes : undefined);
  });
  return { port: await portOf(server), seen };
}

async function withDriver(
  location: Partial<S3Location>,
  use: (driver: ObjectStoreDriver) => Promise<void>,
): Promise<void> {
  const client = new AwsSdkClient(
    { bucket: 'payloads', prefix: '', forcePathStyle: true, ...location },
    folder,
  );
  const driver = new ObjectStoreDriver(client, { prefix: '' });
  await use(driver).finally(() => driver.close());
}

const putAndGet = async (driver: ObjectStoreDriver) => {
  expect(await putInto(driver, name, inChunks(bytes), factsOf(bytes), { signal: never() })).toBe('created');
  const blob = await driver.open(name, never());
  expect((await contentOf(blob)).equals(bytes)).toBe(true);
};
const refused = (pattern: RegExp) => async (driver: ObjectStoreDriver) => {
  await expect(driver.open(name, never())).rejects.toMatchObject({
    failure: 'unavailable',
    message: expect.stringMatching(pattern),
  });
};

test('a storage with a private authority is used with its caBundle, and refused with a message without', async () => {
  const { port, seen } = await secureStorage();
  const endpoint = `https://localhost:${port}`;
  await withDriver({ endpoint, caBundle: certificate }, putAndGet);
  expect(seen.map((line) => line.slice(0, 3))).toEqual(['PUT', 'GET']);
  await withDriver({ endpoint }, refused(/signed by an unknown authority .*spec\.storage\.s3\.caBundle/));
  const byAddress = { endpoint: `https://127.0.0.1:${port}`, caBundle: certificate };
  await withDriver(byAddress, refused(/certificate is not valid \(ERR_TLS_CERT_ALTNAME_INVALID/));
});

test('TLS and plain HTTP taken for each other are named in the message', async () => {
  const { port } = await secureStorage();
  const plain = await portOf(createPlainServer((_request, response) => response.end()));
  await withDriver({ endpoint: `https://127.0.0.1:${plain}` }, refused(/speaks no TLS .*http:\/\//));
  await withDriver(
    { endpoint: `http://127.0.0.1:${port}` },
    refused(/does not speak HTTP|connection to the storage broke/),
  );
});

/** A proxy that takes tunnels and plain requests, and leads everything to one port, whatever name was asked for. */
async function proxyTo(port: number) {
  const asked: string[] = [];
  const server = createPlainServer((request: IncomingMessage, response) => {
    asked.push(`${request.method} ${request.url?.replace(/\?.*/, '')}`);
    response.setHeader('ETag', '"0123456789abcdef"');
    request.resume().on('end', () => response.end(request.method === 'GET' ? bytes : undefined));
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    const onwards = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onwards.pipe(socket).pipe(onwards);
    });
    for (const end of [socket, onwards]) end.on('error', () => {});
  });
  return { port: await portOf(server), asked };
}

test('HTTPS_PROXY is tunnelled through, once for many requests, to a bucket in the host name too', async () => {
  const storage = await secureStorage();
  const proxy = await proxyTo(storage.port);
  process.env.HTTPS_PROXY = `http://127.0.0.1:${proxy.port}`;
  const location = { endpoint: 'https://s3.test', caBundle: certificate, forcePathStyle: false };
  await withDriver(location, async (driver) => {
    await putAndGet(driver);
    await putInto(driver, '/blobs/a', inChunks(bytes), factsOf(bytes), { signal: never() });
  });
  expect(proxy.asked).toEqual(['CONNECT payloads.s3.test:443']);
  const path = `payloads.s3.test/${name.replaceAll(':', '%3A')}`;
  expect(storage.seen).toEqual([`PUT ${path}`, `GET ${path}`, 'PUT payloads.s3.test//blobs/a']);
});

test('HTTP_PROXY is used, but not for what NO_PROXY names', async () => {
  const proxy = await proxyTo(1);
  process.env.HTTP_PROXY = `http://127.0.0.1:${proxy.port}`;
  const location = { endpoint: 'http://s3.test', forcePathStyle: false };
  await withDriver(location, putAndGet);
  const url = `http://payloads.s3.test/${name.replaceAll(':', '%3A')}`;
  expect(proxy.asked).toEqual([`PUT ${url}`, `GET ${url}`]);
  process.env.NO_PROXY = '.s3.test';
  await withDriver(location, refused(/cannot be resolved .*payloads\.s3\.test/));
  expect(proxy.asked).toHaveLength(2);
});

test('a proxy without a scheme is used, but not for addresses in a network that NO_PROXY names', async () => {
  const storage = await secureStorage();
  const proxy = await proxyTo(storage.port);
  process.env.HTTPS_PROXY = `127.0.0.1:${proxy.port}`;
  const location = { caBundle: certificate };
  await withDriver({ ...location, endpoint: 'https://s3.test', forcePathStyle: false }, putAndGet);
  expect(proxy.asked).toEqual(['CONNECT payloads.s3.test:443']);
  process.env.NO_PROXY = '10.0.0.0/8, 127.0.0.0/8';
  const byAddress = { ...location, endpoint: `https://127.0.0.1:${storage.port}` };
  await withDriver(byAddress, refused(/ERR_TLS_CERT_ALTNAME_INVALID/));
  expect(proxy.asked).toHaveLength(1);
});

test('a proxy of a kind that cannot be used is named in the message, and never bypassed', async () => {
  const storage = await secureStorage();
  process.env.HTTPS_PROXY = 'socks5://user:secret@127.0.0.1:1080';
  const location = { endpoint: `https://localhost:${storage.port}`, caBundle: certificate };
  await withDriver(location, async (driver) => {
    await expect(driver.open(name, never())).rejects.toMatchObject({
      failure: 'notFound',
      message: expect.stringMatching(/the proxy of HTTPS_PROXY cannot be used: it is of the kind socks5/),
    });
  });
  expect(storage.seen).toEqual([]);
});

test('a proxy that refuses the tunnel is named in the message', async () => {
  const proxy = createPlainServer();
  proxy.on('connect', (_request, socket: Socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
  process.env.HTTPS_PROXY = `http://127.0.0.1:${await portOf(proxy)}`;
  await withDriver({ endpoint: 'https://s3.test' }, refused(/403|tunnel|proxy/i));
});
