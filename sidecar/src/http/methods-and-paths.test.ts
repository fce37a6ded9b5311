import { METHODS } from 'node:http';
import { call, expectError } from '@largepayload/testing/service/http-call';
import { startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const ROUTES = [
  ['data', 'HEAD', '/v2/health/head'],
  ['data', 'PUT', '/v2/blobs/put'],
  ['data', 'GET', '/v2/blobs/get'],
  ['data', 'GET', '/v1/blobs/get'],
  ['metrics', 'GET', '/metrics'],
  ['metrics', 'GET', '/healthz'],
  ['metrics', 'GET', '/readyz'],
  ['admin', 'GET', '/admin/payload-store/status'],
  ['admin', 'GET', '/admin/payload-store/usage'],
  ['admin', 'POST', '/admin/payload-store/cleanup'],
] as const;

/** CONNECT asks for a tunnel, whose answer has no body by definition; Node closes the connection. */
const methods = METHODS.filter((method) => method !== 'CONNECT');

describe.each(ROUTES)('%s %s %s', (port, allowed, path) => {
  test('answers every other method 405, naming its own', async () => {
    for (const method of methods.filter((other) => other !== allowed)) {
      const answer = await call(service[port], `${path}?namespace=orders`, { method });
      expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, allowed]);
      if (method !== 'HEAD') expectError(answer, 'method_not_allowed');
    }
  });
});

test.each([
  '/',
  '/v2',
  '/v2/blobs/put/',
  '/V2/blobs/put',
  '//v2/blobs/put',
  '/v2/blobs/../blobs/put',
  '/v2/blobs/putt',
  '/v1/blobs/put',
  '/metrics',
  '/admin/payload-store/cleanup',
  '/__proto__',
  '/constructor',
])('the data port does not know %s', async (path) => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PURGE']) {
    expectError(await call(service.data, path, { method }), 'unknown_route');
  }
});

test.each(['/%', '/%zz', '/v2/blobs/put%E0%A4%A'])(
  'the path %s, which nobody can read, is refused',
  async (path) => {
    for (const port of ['data', 'metrics', 'admin'] as const) {
      for (const method of ['GET', 'PUT', 'DELETE', 'PURGE'])
        expectError(await call(service[port], path, { method }), 'malformed_request');
    }
  },
);

test('a path that is written in another way is known to every method', async () => {
  for (const path of ['/v2/blobs/%70ut', '/v2/blobs/put?a=%', '/v2/blobs/put#part']) {
    const answer = await call(service.data, path, { method: 'DELETE' });
    expectError(answer, 'method_not_allowed');
    expect(answer.headers.allow).toBe('PUT');
    expect([404, 405]).not.toContain((await call(service.data, path, { method: 'PUT' })).status);
  }
});

test('what deletes is not on the ports that others reach', async () => {
  const path = '/admin/payload-store/cleanup?age=1s';
  for (const port of ['data', 'metrics'] as const) {
    expectError(await call(service[port], path, { method: 'POST' }), 'unknown_route');
  }
});
