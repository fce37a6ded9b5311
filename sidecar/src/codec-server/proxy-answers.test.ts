import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generatedBytes } from '@largepayload/testing/service/payload';
import { startService } from '@largepayload/testing/service/running-service';
import { expect, test } from 'vitest';
import { decoded, JSON_HEADERS, payload, post, startCodec, stored, told } from './codec-server.fixture.ts';

/** What answers in the blob service's place, at `HOST:PORT`. */
async function proxyThat(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test.each<[string, number, Record<string, string>, string]>([
  ['404 without a body', 404, { Server: 'istio-envoy', 'Content-Length': '0' }, ''],
  ['404 in plain text', 404, { 'Content-Type': 'text/plain' }, '404 page not found\n'],
  ['403 in HTML', 403, { 'Content-Type': 'text/html' }, '<html>Forbidden</html>'],
  ['a page in place of a payload', 200, { 'Content-Type': 'text/html' }, '<html>Log in</html>'],
])('the Web UI is told that a proxy seems to have answered: %s', async (_name, status, headers, body) => {
  await using service = await startService();
  const small = await stored(service.data, 'small');
  const large = await stored(service.data, generatedBytes(50_000));
  await using proxy = await proxyThat((_request, response) => {
    response.writeHead(status, headers).end(body);
  });
  await using codec = await startCodec(proxy.address, { previewAbove: 10_000 });
  for (const shown of await decoded(codec, small, large)) {
    expect(told(shown)).toMatchObject({
      name: 'PayloadStoreUnavailableError',
      message: expect.stringMatching(new RegExp(`status ${status}.*seems to come from a proxy`)),
      retryable: true,
    });
  }
});

test("a proxy's limit for bodies is told to who stores a payload", async () => {
  await using proxy = await proxyThat((request, response) => {
    request.resume();
    response.writeHead(413, { Server: 'nginx', 'Content-Type': 'text/html' }).end('<html>413</html>');
  });
  await using codec = await startCodec(proxy.address);
  const headers = { ...JSON_HEADERS, 'X-Namespace': 'orders' };
  const answer = await post(codec, '/encode', [payload('x'.repeat(200_000))], headers);
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body.toString()).error).toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining("raise the proxy's limit for request bodies"),
  });
});
