import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterEach, expect, test, vi } from 'vitest';
import { ApiError, type WatchEvent } from './api.ts';
import { HttpApi, type RequestOutcome } from './http-api.ts';
import { configMap } from './objects.fixture.ts';
import { CONFIG_MAPS, DEPLOYMENTS, LARGE_PAYLOAD_STORES, PODS } from './resources.ts';
import { answer, line, refuse, type Script, scriptedServer, statusOf } from './scripted-server.fixture.ts';

const NEVER = new AbortController().signal;
const NAME = { resource: CONFIG_MAPS, namespace: 'shop', name: 'one' };
const START = { resourceVersion: '7', timeoutSeconds: 300 };

afterEach(() => vi.useRealTimers());

async function apiOf(script: Script) {
  const server = await scriptedServer(script);
  const outcomes: RequestOutcome[] = [];
  const onRequest = (outcome: RequestOutcome) => outcomes.push(outcome);
  const api = new HttpApi(server.access, { userAgent: 'large-payload-operator/1.2.3', onRequest });
  return { api, server, outcomes, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function failureOf(work: Promise<unknown>): Promise<ApiError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ApiError);
  return failure as ApiError;
}

async function eventsOf(watch: AsyncIterable<WatchEvent>, into: WatchEvent[] = []): Promise<WatchEvent[]> {
  for await (const event of watch) into.push(event);
  return into;
}

test('a page of a list is asked for by selectors, limit and token, and its items get the kind they lack', async () => {
  await using bed = await apiOf((_, response) =>
    answer(response, 200, {
      metadata: { resourceVersion: '12', continue: 'next' },
      items: [{ metadata: { namespace: 'shop', name: 'one' }, spec: { unknownField: [1] } }],
    }),
  );
  const selection = {
    resource: DEPLOYMENTS,
    namespace: 'shop',
    labelSelector: 'a=b,c',
    fieldSelector: 'x=y',
  };
  const page = await bed.api.list(selection, { limit: 5, continue: 'a token' }, NEVER);
  expect(page).toEqual({
    items: [
      {
        ...{ apiVersion: 'apps/v1', kind: 'Deployment', spec: { unknownField: [1] } },
        metadata: { namespace: 'shop', name: 'one' },
      },
    ],
    resourceVersion: '12',
    continue: 'next',
  });
  const [asked] = bed.server.asked;
  expect(asked?.path).toBe('/apis/apps/v1/namespaces/shop/deployments');
  expect(Object.fromEntries(asked?.query ?? [])).toEqual({
    ...{ labelSelector: 'a=b,c', fieldSelector: 'x=y', limit: '5', continue: 'a token' },
  });
  expect(asked?.headers).toMatchObject({
    accept: 'application/json',
    'user-agent': 'large-payload-operator/1.2.3',
  });
  expect(bed.outcomes).toMatchObject([{ verb: 'list', resource: 'deployments', status: 200 }]);
});

test('metadata alone is asked for by the Accept header, and keeps the kind of the object', async () => {
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'one' } };
  await using bed = await apiOf(({ query }, response) => {
    if (query.has('watch')) response.end(line('ADDED', partial));
    else answer(response, 200, { metadata: { resourceVersion: '1' }, items: [partial] });
  });
  const selection = { resource: PODS, metadataOnly: true };
  const { items } = await bed.api.list(selection, { limit: 5 }, NEVER);
  const events = await eventsOf(bed.api.watch(selection, START, NEVER));
  for (const object of [items[0], events[0]?.object]) {
    expect(object).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
  }
  expect(bed.server.asked.map(({ path, headers }) => [path, headers.accept])).toEqual([
    ['/api/v1/pods', 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'],
    ['/api/v1/pods', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'],
  ]);
});

test('each way to write is the request that the API server knows', async () => {
  await using bed = await apiOf(({ body }, response) => answer(response, 200, JSON.parse(body)));
  const object = configMap('one', '3', { text: 'ü' });
  expect(await bed.api.apply(CONFIG_MAPS, object, { force: false }, NEVER)).toEqual(object);
  await bed.api.apply(CONFIG_MAPS, object, { force: true }, NEVER);
  await bed.api.applyStatus(LARGE_PAYLOAD_STORES, object, NEVER);
  await bed.api.create(CONFIG_MAPS, object, NEVER);
  await bed.api.replace(CONFIG_MAPS, object, NEVER);
  await bed.api.delete(NAME, 'u-1', NEVER);
  const seen = bed.server.asked.map(({ method, path, query, headers }) =>
    [method, `${path}?${query}`, headers['content-type']].join(' '),
  );
  const collection = '/api/v1/namespaces/shop/configmaps';
  const manager = 'fieldManager=large-payload-operator';
  expect(seen).toEqual([
    `PATCH ${collection}/one?${manager}&force=false application/apply-patch+yaml`,
    `PATCH ${collection}/one?${manager}&force=true application/apply-patch+yaml`,
    `PATCH /apis/largepayload.dev/v1alpha1/namespaces/shop/largepayloadstores/one/status?${manager}&force=true application/apply-patch+yaml`,
    `POST ${collection}?${manager} application/json`,
    `PUT ${collection}/one?${manager} application/json`,
    `DELETE ${collection}/one? application/json`,
  ]);
  expect(JSON.parse(bed.server.asked[5]?.body ?? '')).toMatchObject({
    propagationPolicy: 'Background',
    preconditions: { uid: 'u-1' },
  });
  expect(bed.outcomes.map(({ verb }) => verb)).toEqual([
    'apply',
    'apply',
    'applyStatus',
    'create',
    'replace',
    'delete',
  ]);
});

test('calls one after another share a connection, and leave no listener on their signal', async () => {
  const { Agent } = await import('node:http');
  const agent = new Agent({ keepAlive: true });
  await using server = await scriptedServer((_, response) => answer(response, 200, configMap('one', '1')));
  const access = { ...server.access, options: async () => ({ agent }) };
  const api = new HttpApi(access, { userAgent: 'test' });
  const controller = new AbortController();
  const added = vi.spyOn(controller.signal, 'addEventListener');
  const removed = vi.spyOn(controller.signal, 'removeEventListener');
  for (let n = 0; n < 20; n += 1) await api.get(NAME, controller.signal);
  expect(server.connections).toBe(1);
  expect(added.mock.calls.length).toBeGreaterThan(0);
  expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  agent.destroy();
});

test('only the API server can say that an object is not there', async () => {
  await using bed = await apiOf(({ query, method }, response) => {
    if (method === 'DELETE' || !query.has('x')) refuse(response, 404, 'NotFound');
  });
  expect(await bed.api.get(NAME, NEVER)).toBeUndefined();
  expect(await bed.api.delete(NAME, undefined, NEVER)).toBeUndefined();
  await using proxy = await apiOf((_, response) => response.writeHead(404).end('<html>  not   here </html>'));
  const failure = await failureOf(proxy.api.get(NAME, NEVER));
  expect(failure).toMatchObject({ status: 404, reason: '' });
  expect(failure.message).toMatch(/get configmaps shop\/one: .*CustomResourceDefinition installed/);
});

test('an object of another uid is not deleted, and that is no failure', async () => {
  const bedWith = (uid: string) =>
    apiOf(({ method }, response) => {
      if (method === 'DELETE') refuse(response, 409, 'Conflict');
      else answer(response, 200, { ...configMap('one', '1'), metadata: { uid } });
    });
  await using replaced = await bedWith('u-2');
  expect(await replaced.api.delete(NAME, 'u-1', NEVER)).toBeUndefined();
  await using same = await bedWith('u-1');
  expect(await failureOf(same.api.delete(NAME, 'u-1', NEVER))).toMatchObject({ status: 409 });
});

test.each([
  ['a Status', { 'Retry-After': '7' }, statusOf(429, 'TooManyRequests'), /it is TooManyRequests/, 7],
  ['details', {}, { ...statusOf(429, 'x'), details: { retryAfterSeconds: 3 } }, /it is x/, 3],
  [
    'a time that is none',
    {},
    { ...statusOf(429, 'x'), details: { retryAfterSeconds: 'soon' } },
    /x/,
    undefined,
  ],
  ['a page of a proxy', {}, '<html>\n\n busy </html>', /busy/, undefined],
])('a refusal by %s is carried with its words', async (_, headers, body, words, retryAfter) => {
  await using bed = await apiOf((__, response) => answer(response, 429, body, headers));
  const failure = await failureOf(bed.api.get(NAME, NEVER));
  expect(failure).toMatchObject({ status: 429, retryAfter });
  expect(failure.message).toMatch(words);
  expect(bed.outcomes).toMatchObject([{ verb: 'get', status: 429 }]);
});

test('a server that cannot be reached has status 0 and its address in the message', async () => {
  const bed = await apiOf(() => {});
  await bed.server[Symbol.asyncDispose]();
  const failure = await failureOf(bed.api.get(NAME, NEVER));
  expect(failure.status).toBe(0);
  expect(failure.message).toMatch(/get configmaps shop\/one: .* http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  expect(bed.outcomes).toMatchObject([{ status: 0 }]);
});

test.each([
  ['never begins', () => {}],
  ['never ends', (response: import('node:http').ServerResponse) => response.write('{"half":')],
])('an answer that %s fails after 30 seconds', async (_, begin) => {
  let isAsked = false;
  await using bed = await apiOf((__, response) => {
    begin(response);
    isAsked = true;
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const failing = failureOf(bed.api.get(NAME, NEVER));
  await vi.waitUntil(() => isAsked);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(bed.outcomes).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await failing).message).toMatch(/no answer within 30 seconds/);
  vi.useRealTimers();
  await eventually('the connection is closed', async () => (await bed.server.open()) === 0);
});

test('an answer of more than 16 MiB is not read to its end', async () => {
  let sent = 0;
  await using bed = await apiOf(async (_, response) => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    while (!response.destroyed && sent < 200) {
      sent += 1;
      if (!response.write(chunk)) await sleep(1);
    }
  });
  const failure = await failureOf(bed.api.list({ resource: PODS }, { limit: 500 }, NEVER));
  expect(failure).toMatchObject({ status: 0, reason: 'TooLarge' });
  expect(sent).toBeLessThan(200);
});

test('an aborted call rejects with the reason, and its connection is closed', async () => {
  await using bed = await apiOf(() => {});
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const call = bed.api.get(NAME, controller.signal);
  await eventually('it is asked', () => bed.server.asked.length === 1);
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
  await expect(bed.api.get(NAME, controller.signal)).rejects.toBe(reason);
  await eventually('the connection is closed', async () => (await bed.server.open()) === 0);
  expect(bed.outcomes).toEqual([]);
});

test('a watch gives events as they come, torn as they may be, and ends in order', async () => {
  const huge = configMap('huge', '9', { text: 'ü'.repeat(750_000) });
  await using bed = await apiOf(async (_, response) => {
    const bytes = Buffer.from(line('ADDED', configMap('größe', '8')) + line('MODIFIED', huge));
    const cut = bytes.indexOf(Buffer.from('ö')) + 1;
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      response.write(part);
      await sleep(20);
    }
    response.end(line('BOOKMARK', { metadata: { resourceVersion: '10' } }));
  });
  let opened = 0;
  const from = { ...START, onOpen: () => opened++ };
  const events = await eventsOf(bed.api.watch({ resource: CONFIG_MAPS }, from, NEVER));
  expect(events.map(({ type, object }) => [type, object.metadata.resourceVersion])).toEqual([
    ['ADDED', '8'],
    ['MODIFIED', '9'],
    ['BOOKMARK', '10'],
  ]);
  expect(events[0]?.object.metadata.name).toBe('größe');
  expect(events[1]?.object.data).toEqual(huge.data);
  expect(opened).toBe(1);
  expect(Object.fromEntries(bed.server.asked[0]?.query ?? [])).toEqual({
    ...{ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: '7', timeoutSeconds: '300' },
  });
});

test.each([
  ['an ERROR event', line('ERROR', statusOf(410, 'Expired')), { status: 410, reason: 'Expired' }],
  ['an ERROR event that says nothing', line('ERROR', {}), { status: 500 }],
  ['a malformed line', '{"type":\n', { status: 0 }],
  ['an end within an event', '{"type":"ADDED"', { status: 0 }],
])('%s ends the watch by a failure, after the events before it', async (_, text, expected) => {
  await using bed = await apiOf((__, response) => response.end(line('ADDED', configMap('one', '8')) + text));
  const events: WatchEvent[] = [];
  const failure = await failureOf(eventsOf(bed.api.watch({ resource: CONFIG_MAPS }, START, NEVER), events));
  expect(failure).toMatchObject(expected);
  expect(events.length).toBe(1);
});

test('a watch whose connection breaks fails; one that is refused never opens', async () => {
  await using breaking = await apiOf((_, response) => {
    response.write(line('ADDED', configMap('one', '8')), () => response.destroy());
  });
  const watch = breaking.api.watch({ resource: CONFIG_MAPS }, START, NEVER);
  expect(await failureOf(eventsOf(watch))).toMatchObject({ status: 0 });
  await using expired = await apiOf((_, response) => refuse(response, 410, 'Expired'));
  const from = { ...START, onOpen: () => expect.unreachable('it was refused') };
  const refused = failureOf(eventsOf(expired.api.watch({ resource: CONFIG_MAPS }, from, NEVER)));
  expect(await refused).toMatchObject({ status: 410, reason: 'Expired' });
});

test('a watch is given up by its signal, and by whoever stops reading it', async () => {
  await using bed = await apiOf((_, response) => response.write(line('ADDED', configMap('one', '8'))));
  const controller = new AbortController();
  const aborted = eventsOf(bed.api.watch({ resource: CONFIG_MAPS }, START, controller.signal));
  await eventually('it is open', async () => (await bed.server.open()) === 1);
  await sleep(50);
  controller.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  for await (const _ of bed.api.watch({ resource: CONFIG_MAPS }, START, NEVER)) break;
  await eventually('both connections are closed', async () => (await bed.server.open()) === 0);
});
