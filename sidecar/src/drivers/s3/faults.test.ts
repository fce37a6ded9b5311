import { expect, test } from 'vitest';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { contentOf, factsOf, inChunks, never, putInto, someBytes, someName } from '../conformance/subject.ts';
import type { ObjectStoreDriver } from '../object-store/object-store-driver.ts';
import { broken, inTurn, ok, refusal, type Script, scriptedServer } from './scripted-server.fixture.ts';

const name = someName('faults');
const bytes = someBytes(3 * 1024 * 1024);
const facts = factsOf(bytes);
const checksum = Buffer.from(facts.digest.slice(7), 'hex').toString('base64');
const there = ok({ 'Content-Length': `${bytes.length}`, 'x-amz-checksum-sha256': checksum });
const damaged = ok({ 'Content-Length': `${bytes.length - 1}` });
const absent = refusal(404, 'NotFound');

const put = (
  driver: ObjectStoreDriver,
  body: AsyncIterable<Buffer> = inChunks(bytes),
  of: BlobFacts = facts,
) => putInto(driver, name, body, of, { signal: never() });
const methods = ({ asked }: { asked: readonly { method: string }[] }) => asked.map(({ method }) => method);

/** Takes some of the body and closes the connection. */
const brokenInside: Script = async ({ request }) => {
  for await (const _chunk of request) return request.socket.resetAndDestroy();
};

test.each<[string, Script[], string, string[]]>([
  [
    '409 while others write the object',
    [refusal(409, 'ConditionalRequestConflict'), ok()],
    'created',
    ['PUT', 'PUT'],
  ],
  [
    '503 SlowDown',
    [refusal(503, 'SlowDown'), refusal(503, 'SlowDown'), ok()],
    'created',
    ['PUT', 'PUT', 'PUT'],
  ],
  ['500 InternalError', [refusal(500, 'InternalError'), ok()], 'created', ['PUT', 'PUT']],
  ['400 RequestTimeout', [refusal(400, 'RequestTimeout'), ok()], 'created', ['PUT', 'PUT']],
  ['bytes altered on the way', [refusal(400, 'BadDigest'), ok()], 'created', ['PUT', 'PUT']],
  [
    'a page of a proxy',
    [({ response }) => response.writeHead(502).end('<html>'), ok()],
    'created',
    ['PUT', 'PUT'],
  ],
  ['a connection that breaks', [broken, absent, ok()], 'created', ['PUT', 'HEAD', 'PUT']],
  [
    'a connection that breaks inside the body',
    [brokenInside, absent, ok()],
    'created',
    ['PUT', 'HEAD', 'PUT'],
  ],
  ['an answer lost after the object was stored', [broken, there], 'existed', ['PUT', 'HEAD']],
  ['a refusal lost before a damaged object', [broken, damaged, ok()], 'created', ['PUT', 'HEAD', 'PUT']],
  ['a clock that S3 refuses', [refusal(403, 'RequestTimeTooSkewed'), ok()], 'created', ['PUT', 'PUT']],
  [
    'an object that vanishes',
    [refusal(412, 'PreconditionFailed'), absent, ok()],
    'created',
    ['PUT', 'HEAD', 'PUT'],
  ],
  [
    'faults while it looks',
    [refusal(412, 'PreconditionFailed'), refusal(503, ''), broken, there],
    'existed',
    ['PUT', 'HEAD', 'HEAD', 'HEAD'],
  ],
])('a body in memory is sent again after %s', async (_title, scripts, outcome, requests) => {
  const server = await scriptedServer(inTurn(...scripts));
  expect(await put(server.driver())).toBe(outcome);
  expect(methods(server)).toEqual(requests);
});

test.each<[string, Script, string, number]>([
  ['SlowDown', refusal(503, 'SlowDown'), 'throttled', 4],
  ['500', refusal(500, 'InternalError'), 'unavailable', 3],
  ['altered bytes', refusal(400, 'BadDigest'), 'integrity', 3],
])('%s all the time ends, after some attempts and some seconds', async (_title, script, failure, atLeast) => {
  const server = await scriptedServer(script);
  const started = performance.now();
  await expect(put(server.driver())).rejects.toMatchObject({ name: 'StorageError', failure });
  expect(server.asked.length).toBeGreaterThanOrEqual(atLeast);
  expect(performance.now() - started).toBeLessThan(8_000);
});

test('the service is not asked again before the time that it asked to wait', async () => {
  const times: number[] = [];
  const note =
    (script: Script): Script =>
    (exchange) => {
      times.push(performance.now());
      return script(exchange);
    };
  const server = await scriptedServer(
    inTurn(note(refusal(503, 'SlowDown', { 'Retry-After': '1' })), note(ok())),
  );
  expect(await put(server.driver())).toBe('created');
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950);
});

test('a request that no repetition can heal is not repeated', async () => {
  for (const script of [refusal(403, 'AccessDenied'), refusal(404, 'NoSuchBucket'), refusal(400, 'Odd')]) {
    const server = await scriptedServer(script);
    await expect(put(server.driver())).rejects.toMatchObject({ name: 'StorageError' });
    expect(server.asked).toHaveLength(1);
  }
});

/** A body that counts the chunks taken, and notes its end. */
function watchedBody() {
  const seen = { chunks: 0, ended: false };
  const body = async function* () {
    try {
      for await (const chunk of inChunks(bytes)) {
        seen.chunks += 1;
        yield chunk;
      }
    } finally {
      seen.ended = true;
    }
  };
  return { seen, body };
}

const continued =
  (script: Script): Script =>
  async (exchange) => {
    exchange.response.writeContinue();
    await script(exchange);
  };

test.each<[string, Script]>([
  ['the connection breaks', continued(brokenInside)],
  ['SlowDown after the body', continued(refusal(503, 'SlowDown'))],
])('a streaming body, once taken, is not sent again: %s', async (_title, script) => {
  const server = await scriptedServer(inTurn(absent, script, absent));
  const { seen, body } = watchedBody();
  const outcome = await put(server.driver({ inMemoryLimit: 0 }), body()).catch((error) => error);
  expect(outcome).toMatchObject({ name: 'StorageError' });
  expect(seen).toMatchObject({ chunks: expect.any(Number), ended: true });
  expect(methods(server)).toEqual(['HEAD', 'PUT', 'HEAD']);
});

test('a streaming body that was not taken yet is sent when the service has recovered', async () => {
  const take: Script = async ({ headers, response, body }) => {
    if (headers.expect !== undefined) response.writeContinue();
    expect((await body()).equals(bytes)).toBe(true);
    response.end();
  };
  const server = await scriptedServer(
    inTurn(absent, refusalBeforeBody(503, 'SlowDown'), broken, absent, take),
  );
  expect(await put(server.driver({ inMemoryLimit: 0 }))).toBe('created');
  expect(methods(server)).toEqual(['HEAD', 'PUT', 'PUT', 'HEAD', 'PUT']);
});

/** Says no instead of taking the body. */
function refusalBeforeBody(status: number, code: string): Script {
  return ({ response }) =>
    response.writeHead(status).end(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
}

test.each([
  ['early', refusalBeforeBody(412, 'PreconditionFailed')],
  ['after the body', continued(refusal(412, 'PreconditionFailed'))],
  ['by closing the connection', continued(brokenInside)],
])('a streaming put that another overtook, refused %s, reads its body to the end', async (_title, script) => {
  const server = await scriptedServer(inTurn(absent, script, there));
  const { seen, body } = watchedBody();
  expect(await put(server.driver({ inMemoryLimit: 0 }), body())).toBe('existed');
  expect(seen).toEqual({ chunks: 48, ended: true });
});

test('a streaming put overtaken by other bytes fails, to be tried again', async () => {
  const other = ok({ 'Content-Length': '5' });
  const server = await scriptedServer(inTurn(absent, refusalBeforeBody(412, 'PreconditionFailed'), other));
  await expect(put(server.driver({ inMemoryLimit: 0 }))).rejects.toMatchObject({ failure: 'unavailable' });
});

test('a service that never asks for the body gets it all the same', async () => {
  const server = await scriptedServer(inTurn(absent, ok()));
  expect(await put(server.driver({ inMemoryLimit: 0 }))).toBe('created');
});

test.each([0, 8 * 1024 * 1024])(
  'the body’s own failure is passed on (in memory up to %d)',
  async (inMemoryLimit) => {
    let received = 0;
    const server = await scriptedServer(
      inTurn(absent, async ({ request, response }) => {
        response.writeContinue();
        for await (const chunk of request) received += chunk.length;
      }),
    );
    const failure = new Error('other bytes than promised');
    const failing = async function* () {
      yield* inChunks(bytes);
      // Time in which the last chunk would arrive, had it been sent.
      await new Promise((resolve) => setTimeout(resolve, 200));
      throw failure;
    };
    await expect(put(server.driver({ inMemoryLimit }), failing())).rejects.toBe(failure);
    expect(received).toBeLessThan(bytes.length);
  },
);

test.each<[string, Script]>([
  [
    'cut short',
    ({ response }) =>
      response.writeHead(200, { 'Content-Length': '3000000', Connection: 'close' }).end('short'),
  ],
  [
    'reset',
    ({ response, request }) => {
      response.writeHead(200, { 'Content-Length': '3000000' }).write('short');
      setTimeout(() => request.socket.resetAndDestroy(), 20);
    },
  ],
])('a reply that is %s is never taken for a whole one', async (_title, script) => {
  const server = await scriptedServer(script);
  const blob = await server.driver().open(name, never());
  const read = contentOf(blob);
  await expect(read).rejects.toMatchObject({ name: 'StorageError', failure: 'unavailable' });
});

test('a reply that breaks before anybody reads it is a failure of the read, and of nothing else', async () => {
  const server = await scriptedServer(({ response, request }) => {
    response.writeHead(200, { 'Content-Length': '3000000' }).write('short');
    request.socket.resetAndDestroy();
  });
  const outcome = await server
    .driver()
    .open(name, never())
    .then(async (blob) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return await contentOf(blob);
    })
    .catch((error) => error);
  expect(outcome).toMatchObject({ name: 'StorageError', failure: 'unavailable' });
});

test('a 404 counts as an absent object only with the code of an absent key', async () => {
  const server = await scriptedServer(refusal(404, 'NoSuchKey'));
  expect(await server.driver().open(name, never())).toBeUndefined();
  for (const [code, failure] of [
    ['NoSuchBucket', 'notFound'],
    ['XAdminUserNotFound', 'denied'],
    ['Odd', 'unavailable'],
  ]) {
    const other = await scriptedServer(refusal(404, code ?? ''));
    await expect(other.driver().open(name, never())).rejects.toMatchObject({ failure });
  }
  const page = await scriptedServer(({ response }) =>
    response.writeHead(404).end('<html>no such page</html>'),
  );
  await expect(page.driver().open(name, never())).rejects.toMatchObject({ failure: 'unavailable' });
});
