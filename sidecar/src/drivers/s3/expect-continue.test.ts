import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { factsOf, inChunks, never, putInto, someBytes, someName } from '../conformance/subject.ts';
import type { ObjectStoreDriver } from '../object-store/object-store-driver.ts';
import { broken, refusal, type Script, scriptedServer } from './scripted-server.fixture.ts';

const bytes = someBytes(400_000);
const put = (driver: ObjectStoreDriver, seed = 1) =>
  putInto(driver, someName(seed), inChunks(bytes), factsOf(bytes), { signal: never() });

/** Says that there is no such object, and takes PUTs as the script says; those without the question it takes whole. */
async function storageThat(answersTheQuestion: Script) {
  const stored: Buffer[] = [];
  const server = await scriptedServer(async (exchange) => {
    const { method, headers, response, body } = exchange;
    if (method === 'HEAD') return response.writeHead(404).end();
    if (headers.expect !== undefined) return await answersTheQuestion(exchange);
    stored.push(await body());
    return response.writeHead(200, { ETag: '"1"' }).end();
  });
  const puts = () =>
    server.asked.filter(({ method }) => method === 'PUT').map(({ headers }) => headers.expect ?? 'not asked');
  return { driver: server.driver({ inMemoryLimit: 0 }), puts, stored, server };
}

const refuses: Script = ({ response }) => response.writeHead(417).end('no expectations');

test('a service that refuses to be asked gets the request without the question, and is not asked again', async () => {
  const { driver, puts, stored } = await storageThat(refuses);
  expect(await put(driver)).toBe('created');
  expect(puts()).toEqual(['100-continue', 'not asked']);
  expect(await put(driver, 2)).toBe('created');
  expect(puts()).toEqual(['100-continue', 'not asked', 'not asked']);
  for (const received of stored) expect(received.equals(bytes)).toBe(true);
});

test('payloads that are refused at the same moment are all stored', async () => {
  const { driver, puts, stored } = await storageThat(refuses);
  const outcomes = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => put(driver, seed)));
  expect(new Set(outcomes)).toEqual(new Set(['created']));
  expect(stored).toHaveLength(6);
  expect(puts().filter((asked) => asked === 'not asked')).toHaveLength(6);
});

test('a refusal that comes when the body is on its way fails that PUT alone', async () => {
  const { driver, puts } = await storageThat(async ({ response, body }) => {
    await body();
    response.writeHead(417).end('late');
  });
  await expect(put(driver)).rejects.toMatchObject({ name: 'StorageError', failure: 'unavailable' });
  expect(await put(driver)).toBe('created');
  expect(puts()).toEqual(['100-continue', 'not asked']);
});

test('a service that closes the connection on the question is not asked in the next attempt', async () => {
  const { driver, puts, stored } = await storageThat(broken);
  expect(await put(driver)).toBe('created');
  expect(puts()).toEqual(['100-continue', 'not asked']);
  expect(stored[0]?.equals(bytes)).toBe(true);
});

test.each<[string, Script]>([
  [
    'does not know the question, and waits',
    async ({ response, body }) => {
      await body();
      response.writeHead(200, { ETag: '"1"' }).end();
    },
  ],
  [
    'says late that it wants the body',
    async ({ response, body }) => {
      await sleep(1_200);
      response.writeContinue();
      await body();
      response.writeHead(200, { ETag: '"1"' }).end();
    },
  ],
  [
    'says twice that it wants the body, as those on werkzeug do',
    async ({ response, body }) => {
      response.writeContinue();
      response.writeContinue();
      await body();
      response.writeHead(200, { ETag: '"1"' }).end();
    },
  ],
])('a service that %s gets the body', async (_title, script) => {
  const { driver, puts } = await storageThat(script);
  expect(await put(driver)).toBe('created');
  expect(puts()).toEqual(['100-continue']);
});

test('a refusal of the PUT itself is the answer', async () => {
  const { driver, puts } = await storageThat(refusal(403, 'AccessDenied'));
  await expect(put(driver)).rejects.toMatchObject({ failure: 'denied' });
  expect(puts()).toEqual(['100-continue']);
});
