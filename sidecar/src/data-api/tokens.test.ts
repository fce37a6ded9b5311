import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { type Answer, call, expectError } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { serviceAccountClaims, signToken } from '@largepayload/testing/tokens/token-issuer';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { StorePolicy } from '../callers/caller-rules.ts';
import { Callers } from '../callers/callers.ts';
import { CLUSTER, memoryIssuer, STORE, verifierOf } from '../callers/tokens/verifier.fixture.ts';
import { FairBudget } from '../http/fair-budget.ts';
import { listen } from '../http/listen.ts';
import { TransferWatch } from '../http/transfer-watch.ts';
import { processLimits } from '../memory/process-limits.ts';
import { Metrics } from '../operations/metrics.ts';
import { Upstream } from '../payload-service/cache/upstream.fixture.ts';
import type { PutRequest } from '../payload-service/payload-service.ts';
import { buildDataServer } from './data-server.ts';
import { DEFAULT_LIMITS } from './limits.ts';

const issuer = memoryIssuer();
const PAYLOAD = testPayload('a payload');

interface DataPort extends AsyncDisposable {
  readonly address: string;
  readonly upstream: Upstream;
  /** what the service was asked to put */
  readonly puts: PutRequest[];
  readonly budget: FairBudget;
  /** that are open */
  connections(): number;
  requests(namespace: string, result: string): Promise<number>;
}

/** A data port that takes tokens, by plain HTTP, before a service in memory. */
async function dataPort(spec: Partial<StorePolicy['spec']> = {}, trusted = issuer): Promise<DataPort> {
  const derived = { inFlightBytes: 24 * 1024 * 1024, connections: processLimits(undefined).dataPort };
  const limits = { ...DEFAULT_LIMITS, ...derived, maxPayloadSize: 1024 * 1024, putTimeLimitMs: 60_000 };
  const budget = new FairBudget({ ...limits, limit: limits.inFlightBytes });
  const watch = new TransferWatch(limits, () => budget.demand);
  const metrics = new Metrics({ requests: () => watch.size, bytes: () => budget.used });
  const [namespace = '', name = ''] = STORE.split('/');
  const policy = { namespace, name, spec: { gateway: {}, ...spec } };
  metrics.watchCallers({
    ...{ authentication: 'Token', keyAges: () => [] },
    namespaces: [namespace, ...(spec.allowedNamespaces ?? [])],
  });
  const callers = new Callers({ authentication: 'Token', policy, verifier: verifierOf(trusted) }, metrics);
  const upstream = new Upstream();
  const puts: PutRequest[] = [];
  const put = upstream.put.bind(upstream);
  upstream.put = (request) => {
    puts.push(request);
    return put(request);
  };
  const log = pino({ level: 'silent' });
  const app = buildDataServer({ service: upstream, limits, budget, watch, metrics, callers, log });
  let open = 0;
  app.server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
  });
  const address = await listen(app, { host: '127.0.0.1', port: 0 });
  return {
    ...{ address, upstream, puts, budget },
    connections: () => open,
    async requests(caller_namespace, result) {
      const found = await metrics.registry.getSingleMetric('payload_store_caller_requests_total')?.get();
      const labels = JSON.stringify({ caller_namespace, result });
      return found?.values.find((each) => JSON.stringify(each.labels) === labels)?.value ?? 0;
    },
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

const tokenOf = (serviceAccount = 'payments/worker', pod?: string) => {
  const claims = serviceAccountClaims(CLUSTER, { store: STORE, serviceAccount, ...(pod && { pod }) });
  return signToken(claims, issuer.key());
};
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

const put = (port: DataPort, token: string, payload = PAYLOAD): Promise<Answer> =>
  call(port.address, payload.putPath, {
    method: 'PUT',
    headers: { ...payload.putHeaders, ...bearer(token) },
    body: payload.bytes,
  });
const get = (port: DataPort, token: string, key: string): Promise<Answer> =>
  call(port.address, getPath(key), { headers: { ...PAYLOAD.getHeaders, ...bearer(token) } });

test('a denied request takes no place and no body, and reaches neither service nor cache', async () => {
  const callers = [{ namespaces: ['payments'], access: 'Read' as const, temporalNamespaces: ['orders'] }];
  await using port = await dataPort({ callers });
  const key = port.upstream.add(PAYLOAD.bytes);
  const reserved: string[] = [];
  const reserve = port.budget.reserve.bind(port.budget);
  port.budget.reserve = (peer, ...rest) => {
    reserved.push(peer);
    return reserve(peer, ...rest);
  };
  const token = tokenOf();
  expectError(await put(port, token), 'caller_denied');
  expectError(await get(port, token, key.replace('/orders/', '/billing/')), 'namespace_denied');
  expectError(await get(port, tokenOf('elsewhere/web'), key), 'caller_denied');
  expectError(await get(port, 'a.b.c', key), 'token_refused');
  const digest = `/v1/blobs/get?digest=${PAYLOAD.digest}`;
  expectError(
    await call(port.address, digest, { headers: { ...PAYLOAD.getHeaders, ...bearer(token) } }),
    'namespace_denied',
  );
  expect([reserved, port.puts, port.upstream.asked]).toEqual([[], [], []]);
  expect((await get(port, token, key)).body.toString()).toBe('a payload');
  expect(reserved).toEqual(['pod uid-of-a-pod-of-payments-worker']);
  expect(await port.requests('payments', 'ok')).toBe(1);
  expect(await port.requests('payments', 'caller_denied')).toBe(1);
  expect(await port.requests('payments', 'namespace_denied')).toBe(2);
  expect(await port.requests('other', 'caller_denied')).toBe(1);
  expect(await port.requests('other', 'token_refused')).toBe(1);
});

test('a token comes before anything else that may be wrong with a request', async () => {
  await using port = await dataPort();
  for (const path of [PAYLOAD.putPath, '/v2/blobs/put'])
    expectError(await call(port.address, path, { method: 'PUT', body: 'x' }), 'token_missing');
  for (const path of ['/v2/blobs/get', '/v1/blobs/get'])
    expectError(await call(port.address, path), 'token_missing');
  expectError(await call(port.address, '/v2/blobs'), 'unknown_route');
});

test('each pod has its share of places, whatever its address', async () => {
  await using port = await dataPort();
  for (const pod of ['pod-1', 'pod-2'])
    expect((await put(port, tokenOf('payments/worker', pod))).status).toBe(201);
  expect(port.puts.map(({ caller }) => caller.peer)).toEqual(['pod pod-1', 'pod pod-2']);
});

test('each request of a connection is judged by its own token', async () => {
  await using port = await dataPort();
  const key = port.upstream.add(PAYLOAD.bytes);
  const line = `GET ${getPath(key)} HTTP/1.1`;
  await using connection = await RawConnection.open(port.address);
  const heads = [
    { ...PAYLOAD.getHeaders, ...bearer(tokenOf()) },
    { ...PAYLOAD.getHeaders },
    { ...PAYLOAD.getHeaders, ...bearer(tokenOf('elsewhere/web')) },
    { ...PAYLOAD.getHeaders, ...bearer(tokenOf()) },
    { ...PAYLOAD.getHeaders, ...bearer('a.b.c') },
  ];
  // All in one write, before the first answer.
  await connection.send(heads.map((headers) => headText(line, headers)).join(''));
  const answers = [];
  for (const _ of heads) answers.push((await connection.answer()).status);
  expect(answers).toEqual([200, 503, 403, 200, 503]);
  expect(port.upstream.asked).toHaveLength(2);
});

const CRLF = '\r\n';
const smuggled = (key: string) => headText(`GET ${getPath(key)} HTTP/1.1`, PAYLOAD.getHeaders);

test.each<[what: string, head: Record<string, string>, code: string]>([
  [
    'Content-Length and Transfer-Encoding',
    { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' },
    'malformed_request',
  ],
  ['two lengths', { 'Content-Length': '5', 'content-length': '0' }, 'malformed_request'],
  ['an encoding that only looks like chunked', { 'Transfer-Encoding': 'xchunked' }, 'malformed_request'],
  ['a folded line', { 'X-More': `a${CRLF} Authorization: Bearer b` }, 'malformed_request'],
  ['a bare line feed', { 'X-More': 'a\nAuthorization: Bearer b' }, 'malformed_request'],
])('a request cannot be smuggled behind the token of another by %s', async (_what, head, code) => {
  await using port = await dataPort();
  const key = port.upstream.add(PAYLOAD.bytes);
  const { putHeaders, putPath } = PAYLOAD;
  const { 'Content-Length': _length, ...headers } = putHeaders;
  await using connection = await RawConnection.open(port.address);
  await connection.send(headText(`PUT ${putPath} HTTP/1.1`, { ...headers, ...bearer(tokenOf()), ...head }));
  await connection.send(`0${CRLF}${CRLF}${smuggled(key)}`);
  expectError(await connection.answer(), code as 'malformed_request');
  await connection.closed();
  expect([port.upstream.asked, port.puts]).toEqual([[], []]);
});

test('what stands behind a refused body is no request', async () => {
  await using port = await dataPort({ callers: [{ namespaces: ['payments'], access: 'Read' }] });
  const key = port.upstream.add(PAYLOAD.bytes);
  const inside = headText(`GET ${getPath(key)} HTTP/1.1`, { ...PAYLOAD.getHeaders, ...bearer(tokenOf()) });
  const { bytes, putPath, putHeaders } = testPayload(inside);
  await using connection = await RawConnection.open(port.address);
  await connection.send(headText(`PUT ${putPath} HTTP/1.1`, { ...putHeaders, ...bearer(tokenOf()) }));
  await connection.send(bytes);
  expectError(await connection.answer(), 'caller_denied');
  await connection.send(inside);
  expect((await connection.answer()).status).toBe(200);
  expect(port.upstream.asked).toHaveLength(1);
});

test.each<[what: string, lines: string, code: 'token_refused' | 'token_missing']>([
  [
    'two Authorization headers',
    `Authorization: Bearer GOOD${CRLF}Authorization: Bearer GOOD`,
    'token_refused',
  ],
  ['two of different cases', `authorization: Bearer GOOD${CRLF}AUTHORIZATION: Basic a`, 'token_refused'],
  ['two tokens in one', 'Authorization: Bearer GOOD, Bearer GOOD', 'token_refused'],
  ['a password', 'Authorization: Basic dXNlcjpwYXNz', 'token_missing'],
  ['a token in another header', 'X-Authorization: Bearer GOOD', 'token_missing'],
  ['an empty header', 'Authorization:', 'token_missing'],
  ['an empty token', 'Authorization: Bearer ', 'token_refused'],
  ['a tab before the token', 'Authorization: Bearer\tGOOD', 'token_refused'],
])('a head with %s is refused', async (_what, lines, code) => {
  await using port = await dataPort();
  await using connection = await RawConnection.open(port.address);
  const fields = Object.entries(PAYLOAD.getHeaders).map(([name, value]) => `${name}: ${value}${CRLF}`);
  const authorization = lines.replaceAll('GOOD', tokenOf());
  const head = `GET ${getPath(port.upstream.add(PAYLOAD.bytes))} HTTP/1.1${CRLF}Host: gateway${CRLF}`;
  await connection.send(`${head}${fields.join('')}${authorization}${CRLF}${CRLF}`);
  expectError(await connection.answer(), code);
  expect(port.upstream.asked).toEqual([]);
});

test('a scheme in lower case, and spaces around it, are taken', async () => {
  await using port = await dataPort();
  const key = port.upstream.add(PAYLOAD.bytes);
  for (const Authorization of [`bearer ${tokenOf()}`, `  Bearer   ${tokenOf()}  `]) {
    await using connection = await RawConnection.open(port.address);
    await connection.send(headText(`GET ${getPath(key)} HTTP/1.1`, { ...PAYLOAD.getHeaders, Authorization }));
    expect((await connection.answer()).status).toBe(200);
  }
});

test('a token of 100 KiB is refused, and one of 1 MB is a head that is too large', async () => {
  await using port = await dataPort();
  const claims = (length: number) => ({
    ...serviceAccountClaims(CLUSTER, { store: STORE }),
    more: 'x'.repeat(length),
  });
  const large = await put(port, signToken(claims(100_000), issuer.key()));
  expectError(large, 'token_refused');
  expect(large.body.toString()).toContain('16 KiB');
  await using connection = await RawConnection.open(port.address);
  await connection.send(
    headText(`PUT ${PAYLOAD.putPath} HTTP/1.1`, { ...PAYLOAD.putHeaders, ...bearer('x'.repeat(1_000_000)) }),
  );
  expectError(await connection.answer(), 'headers_too_large');
  expect(port.puts).toEqual([]);
});

test('a caller that leaves while its token is verified is served no more', async () => {
  const slow = memoryIssuer(CLUSTER, {}, issuer.published);
  const gate = Promise.withResolvers<void>();
  slow.gate = gate.promise;
  await using port = await dataPort({}, slow);
  const key = port.upstream.add(PAYLOAD.bytes);
  const connection = await RawConnection.open(port.address);
  const headers = { ...PAYLOAD.getHeaders, ...bearer(tokenOf()) };
  await connection.send(headText(`GET ${getPath(key)} HTTP/1.1`, headers));
  await eventually('the token is being verified', () => slow.asked === 1);
  await connection[Symbol.asyncDispose]();
  await eventually('the connection is gone', () => port.connections() === 0);
  gate.resolve();
  expect((await put(port, tokenOf())).status).toBe(201);
  expect(port.upstream.asked).toEqual([]);
});
