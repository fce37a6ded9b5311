import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectError } from '@largepayload/testing/service/http-call';
import { generatedBytes, type TestPayload, testPayload } from '@largepayload/testing/service/payload';
import { eventually, within } from '@largepayload/testing/waiting/eventually';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyFor, sidecarBefore } from './sidecar.fixture.ts';

const PAYLOAD = testPayload('some bytes');
const KEPT = testPayload(generatedBytes(3_000_000));
const STREAMED = testPayload(generatedBytes(9_000_000));
/** For gateways that answer, or end, by themselves. */
const QUICK = { times: { pauseMs: 1 } };
/** For gateways that do not answer. */
const SOON = { times: { answerMs: 300 }, limits: { connectMs: 5_000, continueMs: 50 } };

type Gateway = (request: IncomingMessage, response: ServerResponse) => void;

/** What the requests meet, one after the other; the last one meets all further ones. */
async function gateways(...scripts: readonly Gateway[]) {
  const requests: IncomingMessage[] = [];
  const connections: Socket[] = [];
  const handle: Gateway = (request, response) => {
    const script = scripts[Math.min(requests.length, scripts.length - 1)];
    requests.push(request.on('error', () => {}));
    script?.(request, response);
  };
  // A script answers `Expect` itself, as a gateway does.
  const server = createServer().on('request', handle).on('checkContinue', handle);
  server.on('connection', (socket) => connections.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    for (const socket of connections) socket.destroy();
    server.close();
  };
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, connections, stop };
}

const stores =
  (payload: TestPayload): Gateway =>
  async (request, response) => {
    if (request.headers.expect !== undefined) response.writeContinue();
    const received = Buffer.concat(await request.toArray().catch(() => []));
    const isWhole = received.equals(payload.bytes);
    response.writeHead(isWhole ? 201 : 418).end(JSON.stringify({ Key: keyFor(payload) }));
  };

const serves: Gateway = (_request, response) => {
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': PAYLOAD.bytes.length };
  response.writeHead(200, headers).end(PAYLOAD.bytes);
};

const resets: Gateway = (request) => request.socket.resetAndDestroy();
const isSilent: Gateway = (request) => void request.resume();
const drains: Gateway = (request, response) => {
  request.resume();
  const body = JSON.stringify({ error: { code: 'draining', message: 'this process is ending; try again' } });
  response.writeHead(503, { Connection: 'close', 'Retry-After': '1' }).end(body);
};
/** When it has so many bytes of the body. */
const resetsAfter =
  (bytes: number): Gateway =>
  (request, response) => {
    if (request.headers.expect !== undefined) response.writeContinue();
    let seen = 0;
    request.on('data', (chunk) => {
      seen += chunk.length;
      if (seen > bytes) request.socket.resetAndDestroy();
    });
  };

describe('a body that is kept is sent again, whole, on a new connection', () => {
  test.each<[string, Gateway]>([
    ['when the gateway resets the connection at once', resets],
    ['when the gateway is killed in the middle of the body', resetsAfter(1_000_000)],
    ['when the gateway ends', drains],
  ])('%s', async (_when, first) => {
    const gateway = await gateways(first, stores(KEPT));
    const sidecar = await sidecarBefore(gateway.url);
    expect((await sidecar.put(KEPT)).status).toBe(201);
    expect(gateway.connections).toHaveLength(2);
  });
});

test('a kept connection that the gateway has closed costs the worker nothing', async () => {
  const gateway = await gateways(stores(PAYLOAD), resets, stores(PAYLOAD));
  const sidecar = await sidecarBefore(gateway.url);
  expect((await sidecar.put(PAYLOAD)).status).toBe(201);
  expect((await sidecar.put(PAYLOAD)).status).toBe(201);
  expect(gateway.connections).toHaveLength(2);
});

describe('a payload is asked for again on a new connection', () => {
  test.each<[string, Gateway]>([
    ['when the gateway resets the connection', resets],
    ['when the gateway ends', drains],
  ])('%s', async (_when, first) => {
    const gateway = await gateways(first, serves);
    const sidecar = await sidecarBefore(gateway.url);
    const answer = await sidecar.get(keyFor(PAYLOAD), PAYLOAD);
    expect({ status: answer.status, body: answer.body.toString() }).toEqual({
      status: 200,
      body: 'some bytes',
    });
  });
});

test.each<[string, Gateway, 'draining' | 'gateway_unreachable']>([
  ['that reset each connection', resets, 'gateway_unreachable'],
  ['that all end', drains, 'draining'],
])('gateways %s get three attempts, and the worker a 503', async (_what, always, code) => {
  const gateway = await gateways(always);
  const sidecar = await sidecarBefore(gateway.url, QUICK);
  expectError(await sidecar.put(PAYLOAD), code);
  expectError(await sidecar.get(keyFor(PAYLOAD), PAYLOAD), code);
  expect(gateway.requests).toHaveLength(6);
});

test('without a gateway the worker gets a 503 that says so', async () => {
  const gateway = await gateways(resets);
  gateway.stop();
  const sidecar = await sidecarBefore(gateway.url, QUICK);
  const answer = await sidecar.put(PAYLOAD);
  expectError(answer, 'gateway_unreachable');
  expect(answer.body.toString()).toMatch(/ECONNREFUSED.*check that its pods are ready/);
});

describe('a gateway that is silent gets one attempt of limited time', () => {
  test.each<[string, TestPayload]>([
    ['small', PAYLOAD],
    ['streamed', STREAMED],
  ])('for a %s body', async (_size, payload) => {
    const gateway = await gateways(isSilent);
    const sidecar = await sidecarBefore(gateway.url, SOON);
    const answer = await within(20_000, 'the answer of the sidecar', sidecar.put(payload));
    expectError(answer, 'gateway_unreachable');
    expect(answer.body.toString()).toContain('no answer within');
    expect(gateway.requests).toHaveLength(1);
  });

  test('for a GET', async () => {
    const gateway = await gateways(isSilent);
    const sidecar = await sidecarBefore(gateway.url, SOON);
    expectError(
      await within(20_000, 'an answer', sidecar.get(keyFor(PAYLOAD), PAYLOAD)),
      'gateway_unreachable',
    );
    expect(gateway.requests).toHaveLength(1);
  });

  test('for a GET that stops in the middle', async () => {
    const gateway = await gateways((_request, response) => {
      const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': KEPT.bytes.length };
      response.writeHead(200, headers).write(KEPT.bytes.subarray(0, 2_000_000));
    });
    const sidecar = await sidecarBefore(gateway.url, { limits: { idleMs: 1_000 } });
    await expect(within(20_000, 'the end', sidecar.get(keyFor(KEPT), KEPT))).rejects.toThrow(
      /aborted|hang up/,
    );
  });

  test('and the kept connections are left, as they may lead to it too', async () => {
    const gateway = await gateways(stores(PAYLOAD), isSilent);
    const sidecar = await sidecarBefore(gateway.url, SOON);
    await Promise.all([sidecar.put(PAYLOAD), sidecar.put(PAYLOAD)]);
    await eventually('both are closed', () => gateway.connections.every(({ destroyed }) => destroyed));
    expect(gateway.connections).toHaveLength(2);
  });
});

describe('a body that is streamed', () => {
  test('is not sent again when its gateway is killed: the codec does that', async () => {
    const gateway = await gateways(resetsAfter(1_000_000), stores(STREAMED));
    const sidecar = await sidecarBefore(gateway.url);
    expectError(await sidecar.put(STREAMED), 'gateway_unreachable');
    expect(gateway.requests).toHaveLength(1);
    expect((await sidecar.put(STREAMED)).status).toBe(201);
  });

  test('goes to another gateway when nothing of it was taken', async () => {
    const gateway = await gateways(drains, stores(STREAMED));
    const sidecar = await sidecarBefore(gateway.url);
    expect((await sidecar.put(STREAMED)).status).toBe(201);
  });

  test('is any one of more than 1 MiB for a while after a kept one was late: it goes at the pace of the gateway', async () => {
    const gateway = await gateways(isSilent, stores(KEPT), stores(PAYLOAD));
    const sidecar = await sidecarBefore(gateway.url, SOON);
    expectError(await sidecar.put(KEPT), 'gateway_unreachable');
    expect((await sidecar.put(KEPT)).status).toBe(201);
    expect((await sidecar.put(PAYLOAD)).status).toBe(201);
    const questions = gateway.requests.map(({ headers }) => headers.expect);
    expect(questions).toEqual([undefined, '100-continue', undefined]);
  });

  test('is any one for which no memory is left', async () => {
    const gateway = await gateways(stores(PAYLOAD));
    const streaming = await sidecarBefore(gateway.url, { keptBytes: 5 });
    const keeping = await sidecarBefore(gateway.url);
    expect((await streaming.put(PAYLOAD)).status).toBe(201);
    expect((await keeping.put(PAYLOAD)).status).toBe(201);
    expect(gateway.requests.map(({ headers }) => headers.expect)).toEqual(['100-continue', undefined]);
  });
});

test('a worker that leaves in the middle of its body ends the request of the gateway', async () => {
  let isBroken = false;
  const gateway = await gateways((request, response) => {
    response.writeContinue();
    request.resume().once('close', () => {
      isBroken = !request.complete;
    });
  });
  const sidecar = await sidecarBefore(gateway.url);
  const [host = '', port] = sidecar.data.split(':');
  const worker = connect({ host, port: Number(port) });
  const headers = Object.entries(STREAMED.putHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  worker.write(`PUT ${STREAMED.putPath} HTTP/1.1\r\nHost: x\r\n${headers.join('')}\r\n`);
  worker.write(STREAMED.bytes.subarray(0, 2_000_000));
  await eventually('the gateway gets the request', () => gateway.requests.length === 1);
  worker.destroy();
  await eventually('the request of the gateway breaks', () => isBroken);
  await sleep(50);
  expect(gateway.requests).toHaveLength(1);
});

test('a worker that leaves while it waits ends the request of the gateway', async () => {
  let isClosed = false;
  const gateway = await gateways((request) => {
    request.resume().socket.once('close', () => {
      isClosed = true;
    });
  });
  const sidecar = await sidecarBefore(gateway.url);
  const [host = '', port] = sidecar.data.split(':');
  const worker = connect({ host, port: Number(port) });
  const headers = Object.entries(PAYLOAD.getHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  worker.write(`GET /v2/blobs/get?key=${keyFor(PAYLOAD)} HTTP/1.1\r\nHost: x\r\n${headers.join('')}\r\n`);
  await eventually('the gateway gets the request', () => gateway.requests.length === 1);
  worker.destroy();
  await eventually('its connection closes', () => isClosed);
});

describe('an upload that the gateway refuses ends early', () => {
  const refusal = JSON.stringify({
    error: { code: 'namespace_denied', message: 'not served here, says a test' },
  });
  const MUCH = testPayload(generatedBytes(16_000_000));

  /** Sends the body slowly, and stops at the answer. @returns the answer's status, and the bytes that were sent until then */
  const upload = async (sidecar: { data: string }) => {
    const [host = '', port] = sidecar.data.split(':');
    const worker = connect({ host, port: Number(port) });
    onTestFinished(() => void worker.destroy());
    const headers = Object.entries(MUCH.putHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
    worker.write(`PUT ${MUCH.putPath} HTTP/1.1\r\nHost: x\r\n${headers.join('')}\r\n`);
    let answer = '';
    worker.on('data', (chunk) => {
      answer += chunk;
    });
    let sent = 0;
    for (; answer === '' && sent < MUCH.bytes.length; sent += 100_000) {
      worker.write(MUCH.bytes.subarray(sent, sent + 100_000));
      await sleep(2);
    }
    await eventually('there is an answer', () => answer.includes('}}'));
    return { answer, sent };
  };

  test('before any of it is sent, when its head is refused', async () => {
    let received = 0;
    const gateway = await gateways((request, response) => {
      request.on('data', (chunk) => {
        received += chunk.length;
      });
      response.writeHead(403, { Connection: 'close' }).end(refusal);
    });
    const { answer, sent } = await upload(await sidecarBefore(gateway.url));
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*namespace_denied/s);
    expect(sent).toBeLessThan(MUCH.bytes.length);
    expect(received).toBe(0);
  });

  test('in the middle of it, when the refusal comes then', async () => {
    const gateway = await gateways((request, response) => {
      response.writeContinue();
      request.once('data', () => response.writeHead(403).end(refusal));
    });
    const { answer, sent } = await upload(await sidecarBefore(gateway.url));
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*namespace_denied/s);
    expect(sent).toBeLessThan(MUCH.bytes.length);
  });
});
