import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, expect, test } from 'vitest';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const send = async (port: 'data' | 'metrics' | 'admin', path: string, expectation: string) => {
  const connection = await RawConnection.open(service[port]);
  await connection.sendHead(`GET ${path} HTTP/1.1`, { Expect: expectation });
  return connection;
};

test.each([
  ['metrics', '/healthz'],
  ['admin', '/admin/payload-store/status'],
] as const)('the %s port answers a request that expects something', async (port, path) => {
  await using continued = await send(port, path, '100-continue');
  expect((await continued.answer()).status).toBe(100);
  expect((await continued.answer()).status).toBe(200);
  await using strange = await send(port, path, 'the-unexpected');
  expect((await strange.answer()).status).toBe(417);
});

test('the data port answers it once', async () => {
  for (const [expectation, later] of [
    ['100-continue', 0],
    ['the-unexpected', 1],
  ] as const) {
    await using connection = await send('data', '/v2/blobs/get', expectation);
    expect((await connection.answer()).status).toBe(400);
    await connection.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await connection.closed();
    expect(connection.received.toString().match(/^HTTP/gm) ?? []).toHaveLength(later);
  }
});
