import { describe, expect, test } from 'vitest';
import { writeIdentity } from '../../../storage-records/identity/identity.ts';
import { tryWrite } from '../../../storage-records/write-check/write-trial.ts';
import {
  contentOf,
  factsOf,
  inChunks,
  never,
  putInto,
  someBytes,
  someName,
} from '../../conformance/subject.ts';
import type { ObjectStoreDriver } from '../../object-store/object-store-driver.ts';
import { inTurn, listingFor, ok, refusal, type Script, scriptedServer } from '../scripted-server.fixture.ts';
import { startS3Driver } from '../start-s3-driver.ts';

const name = someName('believed');
const bytes = someBytes(100_000);
const checksumOf = (content: Buffer) =>
  Buffer.from(factsOf(content).digest.slice(7), 'hex').toString('base64');
const there = ok({ 'Content-Length': `${bytes.length}`, 'x-amz-checksum-sha256': checksumOf(bytes) });
const absent = refusal(404, 'NotFound');
const put = (driver: ObjectStoreDriver, body = bytes) =>
  putInto(driver, name, inChunks(body), factsOf(body), { signal: never() });
const methods = ({ asked }: { asked: readonly { method: string }[] }) => asked.map(({ method }) => method);

/** Says yes, as somebody who is not S3. */
const page =
  (status: number, headers: Record<string, string | undefined>, text = ''): Script =>
  async ({ method, response, request, body }) => {
    if (request.headers.expect !== undefined) response.writeContinue();
    await body();
    for (const [header, value] of Object.entries({ ETag: undefined, ...headers })) {
      if (value === undefined) response.removeHeader(header);
      else response.setHeader(header, value);
    }
    response.writeHead(status).end(method === 'HEAD' ? undefined : text);
  };
const HTML = '<html><body>We will be back soon</body></html>';
const ERROR = '<?xml version="1.0"?><Error><Code>InternalError</Code></Error>';

const NO_ANSWERS_TO_PUT: [string, Script][] = [
  ['a page', page(200, { 'Content-Type': 'text/html', Server: 'some-proxy' }, HTML)],
  ['a page with an ETag', page(200, { 'Content-Type': 'text/html; charset=utf-8', ETag: '"x"' }, HTML)],
  ['an empty page with an ETag', page(200, { 'Content-Type': 'text/html', ETag: '"x"' })],
  ['a 200 with nothing', page(200, { 'Content-Length': '0' })],
  ['a 204 with nothing', page(204, {})],
  ['a 204 with an ETag', page(204, { ETag: '"x"' })],
  ['an empty ETag', page(200, { ETag: '' })],
  ['JSON with an ETag', page(200, { 'Content-Type': 'application/json', ETag: '"x"' }, '{"ok":true}')],
  ['an error of S3 with status 200', page(200, { 'Content-Type': 'application/xml', ETag: '"x"' }, ERROR)],
  [
    'the checksum of other bytes',
    page(200, { ETag: '"x"', 'x-amz-checksum-sha256': checksumOf(Buffer.from('others')) }),
  ],
];

describe.each(NO_ANSWERS_TO_PUT)('a PUT that is answered by %s', (_title, script) => {
  test('is looked up, and sent again where it is not there', async () => {
    const server = await scriptedServer(inTurn(script, absent, ok()));
    expect(await put(server.driver())).toBe('created');
    expect(methods(server)).toEqual(['PUT', 'HEAD', 'PUT']);
  });

  test('is looked up, and not sent again where it is there', async () => {
    const server = await scriptedServer(inTurn(script, there));
    expect(await put(server.driver())).toBe('existed');
    expect(methods(server)).toEqual(['PUT', 'HEAD']);
  });

  test('is not acknowledged when it streams, unless it is seen to be there', async () => {
    const lost = await scriptedServer(inTurn(absent, script, absent));
    await expect(put(lost.driver({ inMemoryLimit: 0 }))).rejects.toMatchObject({
      failure: 'unavailable',
      message: expect.stringMatching(
        /what answered is no S3 \(20[04].*perhaps a proxy; check the endpoint of/,
      ),
    });
    expect(methods(lost)).toEqual(['HEAD', 'PUT', 'HEAD']);
    const stored = await scriptedServer(inTurn(absent, script, there));
    expect(await put(stored.driver({ inMemoryLimit: 0 }))).toBe('existed');
  });

  test('overwrites nothing, and is sent again unless the checksum shows that it did', async () => {
    const damaged = ok({ 'Content-Length': '5' });
    const again = await scriptedServer(
      inTurn(refusal(412, 'PreconditionFailed'), damaged, script, damaged, ok()),
    );
    expect(await put(again.driver())).toBe('created');
    expect(methods(again)).toEqual(['PUT', 'HEAD', 'PUT', 'HEAD', 'PUT']);
    const done = await scriptedServer(inTurn(refusal(412, 'PreconditionFailed'), damaged, script, there));
    expect(await put(done.driver())).toBe('created');
    const streaming = await scriptedServer(inTurn(damaged, script));
    await expect(put(streaming.driver({ inMemoryLimit: 0 }))).rejects.toMatchObject({
      failure: 'unavailable',
    });
  });
});

test('an overwrite that may be lost is sent again where only the size is known', async () => {
  const damaged = ok({ 'Content-Length': '5' });
  const sameSize = ok({ 'Content-Length': `${bytes.length}` });
  const server = await scriptedServer(
    inTurn(refusal(412, 'PreconditionFailed'), damaged, page(200, {}), sameSize, ok()),
  );
  expect(await put(server.driver())).toBe('created');
  expect(methods(server).at(-1)).toBe('PUT');
});

test('an answer before the body was sent acknowledges nothing', async () => {
  const large = someBytes(8 * 1024 * 1024);
  const early: Script = ({ response }) => response.writeHead(200, { 'Content-Length': '0' }).end();
  const server = await scriptedServer(inTurn(early, absent, ok()));
  expect(await put(server.driver(), large)).toBe('created');
  expect(methods(server)).toEqual(['PUT', 'HEAD', 'PUT']);
  const streamed = await scriptedServer(inTurn(absent, early, absent));
  await expect(put(streamed.driver({ inMemoryLimit: 0 }), large)).rejects.toMatchObject({
    failure: 'unavailable',
  });
});

test('an answer with the headers of S3 is believed, whatever content type it has', async () => {
  const headers = { ETag: '"x"', 'Content-Type': 'text/html', 'x-amzn-requestid': 'nQycuLCIp74T' };
  const server = await scriptedServer(page(200, headers));
  expect(await put(server.driver())).toBe('created');
});

const everywhere = page(200, { 'Content-Type': 'text/html', Server: 'some-proxy', ETag: '"x"' }, HTML);

test('a page for everything acknowledges nothing, and the message names the server that answered', async () => {
  const server = await scriptedServer(everywhere);
  const message =
    /no S3 \(200 text\/html from some-proxy(, without a Content-Length)?\), perhaps a proxy; check the endpoint of the bucket payloads/;
  for (const inMemoryLimit of [0, 8 * 1024 * 1024]) {
    await expect(put(server.driver({ inMemoryLimit }))).rejects.toThrow(message);
  }
  await expect(tryWrite(server.driver())).rejects.toThrow(message);
  const identity = { namespace: 'payments', name: 'orders' };
  await expect(writeIdentity(server.driver(), identity, never())).rejects.toThrow(message);
  await expect(server.driver().open(name, never())).rejects.toThrow(message);
  await expect(server.driver().currentTime(never())).rejects.toThrow(message);
}, 60_000);

test.concurrent.each<[string, Script]>([
  ['a page', page(200, { 'Content-Type': 'text/html', 'Content-Length': '46' }, HTML)],
  ['a page with an ETag', everywhere],
  ['a 200 without an ETag', page(200, { 'Content-Length': `${bytes.length}` })],
  ['a 200 without a size', page(200, { ETag: '"x"' })],
  ['a 204', page(204, { ETag: '"x"', 'Content-Length': `${bytes.length}` })],
])('a refused create is no hit when the look at it is answered by %s', async (_title, script) => {
  const server = await scriptedServer(({ method, ...rest }) =>
    (method === 'HEAD' ? script : refusal(412, 'PreconditionFailed'))({ method, ...rest }),
  );
  await expect(put(server.driver())).rejects.toThrow(/what answered is no S3/);
});

test.each<[string, Script]>([
  ['a page', page(200, { 'Content-Type': 'text/html' }, HTML)],
  ['a page with an ETag', everywhere],
  ['bytes without an ETag', page(200, {}, 'bytes')],
  ['nothing', page(204, { ETag: '"x"' })],
])('a GET that is answered by %s is no object, and holds no connection', async (_title, script) => {
  const server = await scriptedServer(inTurn(script, ({ response }) => response.end(bytes)));
  const blob = await server.driver().open(name, never());
  expect(blob?.size).toBe(bytes.length);
  expect((await contentOf(blob)).equals(bytes)).toBe(true);
});

test('an error of S3 with status 200 in place of store.json is an unreadable answer, and no other store', async () => {
  for (const headers of [{}, { ETag: '"x"' }]) {
    const error = page(200, { 'Content-Type': 'application/xml', ...headers }, ERROR);
    const server = await scriptedServer((exchange) => (exchange.method === 'GET' ? error : ok())(exchange));
    const claim = writeIdentity(server.driver(), { namespace: 'payments', name: 'orders' }, never());
    await expect(claim).rejects.toMatchObject({
      name: 'StorageError',
      failure: 'unavailable',
      message: expect.stringMatching(/unreadable answer.*check/),
    });
  }
}, 60_000);

test('store.json of any size is not read to tell the time', async () => {
  const server = await scriptedServer(({ response }) => {
    response.writeHead(200, { 'Content-Length': '10000000000' }).write('{');
  });
  const time = await server.driver().currentTime(never());
  expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
});

test('a listing in place of the versioning of the bucket is not believed', async () => {
  const server = await scriptedServer(({ path, response }) =>
    response.end(listingFor(path).replace('</L', '<Status>Enabled</Status></L')),
  );
  const { driver, notices } = await startS3Driver(server.location, server.credentialsFolder);
  expect(notices).toEqual([]);
  await driver.close();
});

test('a refusal that is too large is not read to its end', async () => {
  const server = await scriptedServer(({ response }) =>
    response.writeHead(500).end(Buffer.alloc(300_000, '<a/>')),
  );
  await expect(server.driver().open(name, never())).rejects.toThrow(/500 with more than 65536 bytes/);
}, 20_000);
