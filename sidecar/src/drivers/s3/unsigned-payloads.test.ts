import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { tryChecksum } from '../../storage-records/write-check/write-trial.ts';
import { factsOf, inChunks, never, putInto, someBytes } from '../conformance/subject.ts';
import type { ObjectStoreDriver } from '../object-store/object-store-driver.ts';
import { broken, inTurn, ok, refusal, type Script, scriptedServer } from './scripted-server.fixture.ts';

const bytes = someBytes(100_000);
const hex = createHash('sha256').update(bytes).digest('hex');
const base64 = Buffer.from(hex, 'hex').toString('base64');
const wrongBytes = refusal(400, 'BadDigest');
const stored = ok({ 'x-amz-checksum-sha256': base64 });

const put = (driver: ObjectStoreDriver, content = bytes) =>
  putInto(driver, 'name', inChunks(content), factsOf(content), { signal: never() });

/** Tries the checksum on a server with this script, which is then asked by `put`. */
async function tried(...scripts: [Script, ...Script[]]) {
  const server = await scriptedServer(inTurn(...scripts));
  const driver = server.driver({ prefix: 'p/' });
  await tryChecksum(driver, never());
  const puts = () => server.asked.map(({ headers }) => headers['x-amz-content-sha256']);
  return { server, driver, puts };
}

test.each(['BadDigest', 'XAmzContentChecksumMismatch'])(
  'where the service refuses other bytes than those of the checksum by %s, bodies are not signed',
  async (code) => {
    const { server, driver } = await tried(refusal(400, code), stored);
    expect(await put(driver)).toBe('created');
    const [trial, later] = server.asked;
    expect(server.asked).toHaveLength(2);
    expect(trial).toMatchObject({
      method: 'PUT',
      path: '/payloads/p/write-check?x-id=PutObject',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    expect(trial?.headers).not.toHaveProperty('if-none-match');
    expect(later?.headers).toMatchObject({
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-checksum-sha256': base64,
      'if-none-match': '*',
      authorization: expect.stringMatching(/SignedHeaders=[^,]*;x-amz-checksum-sha256;x-amz-content-sha256;/),
    });
  },
);

test('the checksum of the trial is that of other bytes than those which are sent', async () => {
  let received: Buffer = Buffer.alloc(0);
  const { server } = await tried(async (exchange) => {
    received = await exchange.body();
    exchange.response.writeHead(500).end();
  });
  const checksum = server.asked[0]?.headers['x-amz-checksum-sha256'];
  expect(checksum).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(received.length).toBeGreaterThan(0);
  expect(checksum).not.toBe(createHash('sha256').update(received).digest('base64'));
});

test.each<[string, Script]>([
  ['has no right to put', refusal(403, 'AccessDenied')],
  ['finds a bad request', refusal(400, 'InvalidRequest')],
  ['finds a checksum that is none', refusal(400, 'InvalidDigest')],
  ['finds no bucket', refusal(404, 'NoSuchBucket')],
  ['meets a busy service', refusal(503, 'SlowDown')],
  ['is refused by another status', refusal(403, 'BadDigest')],
  [
    'gets a page',
    ({ response }) => response.writeHead(400, { 'Content-Type': 'text/html' }).end('BadDigest'),
  ],
  ['gets no answer', broken],
])('where the trial %s, bodies are signed as before', async (_title, script) => {
  const { server, driver, puts } = await tried(script, stored);
  expect(await put(driver)).toBe('created');
  expect(puts()).toEqual(['UNSIGNED-PAYLOAD', hex]);
  expect(server.asked[1]?.headers['x-amz-checksum-sha256']).toBe(base64);
});

test('where the service takes wrong bytes, the object is put again with its own checksum, and bodies are signed', async () => {
  const bodies: Buffer[] = [];
  const take: Script = async ({ response, body }) => {
    bodies.push(await body());
    response.end();
  };
  const { server, driver, puts } = await tried(take);
  await put(driver);
  const own = createHash('sha256')
    .update(bodies[1] as Buffer)
    .digest();
  expect(bodies[1]).toEqual(bodies[0]);
  expect(puts()).toEqual(['UNSIGNED-PAYLOAD', own.toString('hex'), hex]);
  expect(server.asked[1]?.headers['x-amz-checksum-sha256']).toBe(own.toString('base64'));
});

test.each([
  [403, 'AccessDenied'],
  [400, 'InvalidRequest'],
  [400, 'InvalidArgument'],
  [400, 'XAmzContentSHA256Mismatch'],
])(
  'a later refusal by %i %s ends unsigned bodies, and that body is sent again, signed',
  async (status, code) => {
    const { driver, puts } = await tried(wrongBytes, refusal(status, code), stored);
    expect(await put(driver)).toBe('created');
    expect(await put(driver)).toBe('created');
    expect(puts()).toEqual(['UNSIGNED-PAYLOAD', 'UNSIGNED-PAYLOAD', hex, hex]);
  },
);

test('a right that is lost later is told after one more request', async () => {
  const { driver, puts } = await tried(wrongBytes, refusal(403, 'AccessDenied'));
  await expect(put(driver)).rejects.toMatchObject({ failure: 'denied' });
  await expect(put(driver)).rejects.toMatchObject({ failure: 'denied' });
  expect(puts()).toEqual(['UNSIGNED-PAYLOAD', 'UNSIGNED-PAYLOAD', hex, hex]);
});

test.each([
  [503, 'SlowDown'],
  [400, 'BadDigest'],
])('a later refusal by %i %s is tried again as ever', async (status, code) => {
  const { driver, puts } = await tried(wrongBytes, refusal(status, code), stored);
  expect(await put(driver)).toBe('created');
  expect(puts()).toEqual(Array(3).fill('UNSIGNED-PAYLOAD'));
});

test('an answer without a checksum ends unsigned bodies, and that body is sent again over the object, signed', async () => {
  const { server, driver, puts } = await tried(wrongBytes, ok(), stored);
  expect(await put(driver)).toBe('created');
  await put(driver);
  expect(puts()).toEqual(['UNSIGNED-PAYLOAD', 'UNSIGNED-PAYLOAD', hex, hex]);
  expect(server.asked.map(({ headers }) => headers['if-none-match'])).toEqual([
    undefined,
    '*',
    undefined,
    '*',
  ]);
});

test('a large body that is refused before it was read is sent again, signed', async () => {
  const large = someBytes(9 * 1024 * 1024);
  const [digest] = [factsOf(large).digest.slice('sha256:'.length)];
  const take: Script = async ({ response, body }) => {
    response.writeContinue();
    expect((await body()).equals(large)).toBe(true);
    response.setHeader('x-amz-checksum-sha256', Buffer.from(digest, 'hex').toString('base64')).end();
  };
  const denied: Script = ({ response }) =>
    response
      .writeHead(403, { 'Content-Type': 'application/xml' })
      .end('<Error><Code>AccessDenied</Code><Message>no unsigned payloads</Message></Error>');
  const { server, driver } = await tried(wrongBytes, refusal(404, 'NotFound'), denied, take);
  expect(await put(driver, large)).toBe('created');
  expect(server.asked.map(({ method }) => method)).toEqual(['PUT', 'HEAD', 'PUT', 'PUT']);
  expect(server.asked.at(-1)?.headers['x-amz-content-sha256']).toBe(digest);
});

test('a trial that is ended throws the reason, and bodies are signed', async () => {
  const reason = new Error('the process is ending');
  const stop = new AbortController();
  const server = await scriptedServer(inTurn(() => stop.abort(reason), stored));
  const driver = server.driver();
  await expect(tryChecksum(driver, stop.signal)).rejects.toBe(reason);
  await put(driver);
  expect(server.asked.at(-1)?.headers['x-amz-content-sha256']).toBe(hex);
});
