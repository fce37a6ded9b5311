import { createHash } from 'node:crypto';
import { within } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import { inTurn, refusal, type Script } from '../scripted-server.fixture.ts';
import { deleteAll, keysOf, result, says } from './deletion.fixture.ts';

describe('a multi-object delete', () => {
  test('asks which objects were deleted, with the checksum that every service takes', async () => {
    let received = Buffer.alloc(0);
    const { server, outcome } = await deleteAll(
      async ({ response, body }) => {
        received = Buffer.from(await body());
        response.end(result(['a', 'b']));
      },
      ['a', 'b'],
    );
    expect(await outcome).toEqual({ deleted: ['a', 'b'], failed: [] });
    expect(received.toString()).not.toContain('Quiet>true');
    const { headers = {} } = server.asked[0] ?? {};
    expect(headers['content-md5']).toBe(createHash('md5').update(received).digest('base64'));
    expect(headers.authorization).toContain('content-md5');
    // Services refuse headers that they do not know.
    expect(Object.keys(headers).filter((name) => name.includes('checksum'))).toEqual([]);
  });

  test('tries again what could not be deleted, and reports it when that does not help', async () => {
    const asked: string[][] = [];
    const failing =
      (...failures: [string, string][]): Script =>
      async ({ response, body }) => {
        const keys = keysOf(await body());
        asked.push(keys);
        const failed = new Set(failures.map(([key]) => key));
        response.end(
          result(
            keys.filter((key) => !failed.has(key)),
            failures,
          ),
        );
      };
    const { outcome } = await deleteAll(
      inTurn(
        failing(['b', 'InternalError'], ['c', 'AccessDenied'], ['d', 'SlowDown'], ['e', 'NoSuchKey']),
        failing(['d', 'SlowDown']),
        failing(),
      ),
    );
    const { deleted, failed } = await outcome;
    expect(asked).toEqual([['a', 'b', 'c', 'd', 'e'], ['b', 'd'], ['d']]);
    expect(deleted).toEqual(['a', 'b', 'd', 'e']);
    expect(failed).toMatchObject([
      { name: 'c', error: { failure: 'denied', message: expect.stringContaining('s3:DeleteObject') } },
    ]);
  });

  test('ends the tries for an object that can never be deleted', async () => {
    const { server, outcome } = await deleteAll(
      async ({ response, body }) => {
        const others = keysOf(await body()).filter((key) => key !== 'a');
        response.end(result(others, [['a', 'InternalError']]));
      },
      ['a', 'b'],
    );
    expect(await outcome).toMatchObject({ deleted: ['b'], failed: [{ name: 'a' }] });
    expect(server.asked.length).toBeLessThan(10);
  });

  test('whose second try fails as a whole counts what the first one deleted', async () => {
    const { outcome } = await deleteAll(
      inTurn(says(result(['a'], [['b', 'InternalError']])), refusal(403, 'AccessDenied')),
      ['a', 'b'],
    );
    expect(await outcome).toMatchObject({
      deleted: ['a'],
      failed: [{ name: 'b', error: { failure: 'denied' } }],
    });
  });

  test('that does not name an object has not deleted it', async () => {
    const { outcome } = await deleteAll(inTurn(says(result(['a'], [['b', 'NoSuchKey']])), says('')), [
      'a',
      'b',
      'c',
    ]);
    expect(await outcome).toMatchObject({
      deleted: ['a', 'b'],
      failed: [{ name: 'c', error: { message: expect.stringContaining('names none of the objects') } }],
    });
  });

  test('whose result names nothing is proven by a request for each object', async () => {
    const { outcome } = await deleteAll(
      async (exchange) => {
        const { method, path, response, body } = exchange;
        await body();
        if (method === 'POST') return response.end('<DeleteResult/>');
        if (path.includes('/a')) return response.writeHead(204).end();
        return await refusal(
          path.includes('/b') ? 404 : 403,
          path.includes('/b') ? 'NoSuchKey' : 'AccessDenied',
        )(exchange);
      },
      ['a', 'b', 'c'],
    );
    const { deleted, failed } = await outcome;
    expect([...deleted].sort()).toEqual(['a', 'b']);
    expect(failed).toMatchObject([{ name: 'c', error: { failure: 'denied' } }]);
  });

  test('that leaves out one object again and again has not deleted it', async () => {
    const { outcome } = await deleteAll(
      async ({ response, body }) => {
        const keys = keysOf(await body());
        response.end(result(keys.includes('a') ? ['a'] : [], [['b', 'InternalError']]));
      },
      ['a', 'b', 'c'],
    );
    const { deleted, failed } = await outcome;
    expect(deleted).toEqual(['a']);
    const [, c] = [...failed].sort((one, other) => one.name.localeCompare(other.name));
    expect(c).toMatchObject({
      name: 'c',
      error: { message: expect.stringContaining('does not say whether') },
    });
  });

  test('that names an object twice, as deleted and as failed, has not deleted it', async () => {
    const { outcome } = await deleteAll(says(result(['a', 'b'], [['b', 'AccessDenied']])), ['a', 'b']);
    expect(await outcome).toMatchObject({ deleted: ['a'], failed: [{ name: 'b' }] });
  });

  test.each<[string, Script]>([
    ['a page', says('<html><body>welcome</body></html>', { 'Content-Type': 'text/html' })],
    ['a page that is no XML', says('<!doctype html><p>hello<br>', { 'Content-Type': 'text/html' })],
    ['nothing', says('')],
    ['JSON', says('{"deleted":["a","b"]}', { 'Content-Type': 'application/json' })],
    ['the result of an error', says('<Error><Code>InternalError</Code><Message>no</Message></Error>')],
    ['others than were asked', says(result(['a', 'x']))],
    ['an error without a key', says(result(['a', 'b'], [['', 'InternalError']]))],
    ['a failure of others than were asked', says(result(['a', 'b'], [['x', 'AccessDenied']]))],
  ])('that is answered by %s is an error', async (_title, script) => {
    const { outcome } = await deleteAll(script, ['a', 'b']);
    await expect(outcome).rejects.toMatchObject({ name: 'StorageError', failure: 'unavailable' });
  });

  test('that folds the slash of a name has deleted it', async () => {
    const { outcome } = await deleteAll(says(result(['blobs/x', '/blobs/y'])), ['/blobs/x', '/blobs/y']);
    expect(await outcome).toEqual({ deleted: ['/blobs/x', '/blobs/y'], failed: [] });
  });
});

test('a service that asks to wait for an hour is not waited for', async () => {
  const { outcome } = await deleteAll(refusal(503, 'SlowDown', { 'Retry-After': '3600' }), ['a']);
  await expect(within(30_000, 'it gave up', outcome)).rejects.toMatchObject({ failure: 'throttled' });
});
