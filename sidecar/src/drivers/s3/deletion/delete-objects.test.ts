import { createHash } from 'node:crypto';
import { within } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import { never } from '../../conformance/subject.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import { type Exchange, inTurn, refusal, type Script, scriptedServer } from '../scripted-server.fixture.ts';
import { MultiObjectDeleter } from './delete-objects.ts';

const keysOf = (body: Buffer) => [...body.toString().matchAll(/<Key>([^<]+)/g)].map(([, key]) => key ?? '');
const result = (deleted: readonly string[], errors: readonly (readonly [string, string])[] = []) =>
  `<DeleteResult>${deleted.map((key) => `<Deleted><Key>${key}</Key></Deleted>`).join('')}${errors
    .map(([key, code]) => `<Error><Key>${key}</Key><Code>${code}</Code></Error>`)
    .join('')}</DeleteResult>`;

/** Answers a multi-object delete with this text. */
const says =
  (text: string, headers: Record<string, string> = { 'Content-Type': 'application/xml' }): Script =>
  async ({ response, body }) => {
    await body();
    response.writeHead(200, headers).end(text);
  };
const isMultiObjectDelete = ({ method, path }: { method: string; path: string }) =>
  method === 'POST' && path.includes('delete');
const keyIn = ({ path }: { path: string }) =>
  decodeURIComponent(path.replace('/payloads/', '').replace(/\?.*/, ''));
const gone: Script = ({ response }) => response.writeHead(204).end();

/** A service without multi-object delete. */
const single =
  (deleteOne: Script, refuse: Script = refusal(501, 'NotImplemented')): Script =>
  (exchange: Exchange) =>
    isMultiObjectDelete(exchange) ? refuse(exchange) : deleteOne(exchange);

async function deleteAll(script: Script, names = ['a', 'b', 'c', 'd', 'e']) {
  const server = await scriptedServer(script);
  const outcome = server.driver().delete(names, never());
  return { server, outcome };
}

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

  test('tries again what could not be deleted, and tells it when that does not help', async () => {
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

describe('a service without multi-object delete', () => {
  const names = Array.from({ length: 100 }, (_, index) => `name-${index}`);

  test.each<[string, Script]>([
    ['501', refusal(501, 'NotImplemented')],
    ['405', refusal(405, 'MethodNotAllowed')],
    ['400 MalformedXML', refusal(400, 'MalformedXML')],
    ['400 InvalidArgument', refusal(400, 'InvalidArgument')],
    ['405 of something before it', async ({ response, body }) => response.writeHead(405).end(await body())],
    ['413 of something before it', async ({ response, body }) => response.writeHead(413).end(await body())],
  ])('by %s is asked for each object, some at once', async (_title, refuse) => {
    let atOnce = 0;
    let most = 0;
    const deleteOne: Script = async ({ response }) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setTimeout(resolve, 5));
      atOnce -= 1;
      response.writeHead(204).end();
    };
    const { server, outcome } = await deleteAll(single(deleteOne, refuse), names);
    expect(await outcome).toEqual({ deleted: names, failed: [] });
    expect(
      server.asked
        .filter(({ method }) => method === 'DELETE')
        .map(keyIn)
        .sort(),
    ).toEqual([...names].sort());
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(16);
  });

  test('is not asked for it again, until some time has passed', async () => {
    const server = await scriptedServer(single(gone));
    const client = new AwsSdkClient(server.location, server.credentialsFolder);
    const asked = () => server.asked.filter(isMultiObjectDelete).length;
    const lasting = new MultiObjectDeleter(client, { limitMs: 60_000, lookAgainAfterMs: 60_000 });
    for (let round = 0; round < 3; round += 1)
      expect(await lasting.delete(['a'], never())).toEqual(new Map());
    expect(asked()).toBe(1);
    const brief = new MultiObjectDeleter(client, { limitMs: 60_000, lookAgainAfterMs: 0 });
    for (let round = 0; round < 3; round += 1) await brief.delete(['a'], never());
    expect(asked()).toBe(4);
    client.close();
  });

  test('is asked for it again where single deletes do not work either', async () => {
    const server = await scriptedServer(single(refusal(501, 'NotImplemented')));
    const driver = server.driver();
    for (let round = 0; round < 2; round += 1) {
      const { deleted, failed } = await driver.delete(['a'], never());
      expect(deleted).toEqual([]);
      expect(failed[0]?.error.message).toMatch(/lacks something that is needed here/);
    }
    expect(server.asked.filter(isMultiObjectDelete)).toHaveLength(2);
  });

  test('that fails for some objects has deleted the others, those that may heal after another try', async () => {
    let tries = 0;
    const deleteOne: Script = (exchange) => {
      const key = keyIn(exchange);
      if (key === 'name-3') return refusal(403, 'AccessDenied')(exchange);
      if (key === 'name-5') return refusal(404, 'NoSuchKey')(exchange);
      if (key === 'name-7') {
        tries += 1;
        if (tries < 3) return refusal(500, 'InternalError')(exchange);
      }
      return gone(exchange);
    };
    const { outcome } = await deleteAll(single(deleteOne), names);
    const { deleted, failed } = await outcome;
    expect(deleted).toEqual(names.filter((name) => name !== 'name-3'));
    expect(failed).toMatchObject([{ name: 'name-3', error: { failure: 'denied' } }]);
    expect(tries).toBe(3);
  });

  test.each<[string, Script]>([
    ['a page', ({ response }) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html/>')],
    [
      'a page in chunks',
      ({ response }) => {
        response.writeHead(200).write('<html>');
        response.end('</html>');
      },
    ],
    ['202', ({ response }) => response.writeHead(202).end()],
    ['the 404 of something else', ({ response }) => response.writeHead(404).end('404 page not found')],
    ['an empty 404', ({ response }) => response.writeHead(404).end()],
    ['the 404 of a bucket', refusal(404, 'NoSuchBucket')],
  ])('whose delete is answered by %s has not deleted it', async (_title, deleteOne) => {
    const { outcome } = await deleteAll(single(deleteOne), ['a']);
    expect(await outcome).toMatchObject({ deleted: [], failed: [{ name: 'a' }] });
  });

  test.each<[string, Script]>([
    ['204', gone],
    ['an empty 200', ({ response }) => response.writeHead(200).end()],
    ['the 404 of an object', refusal(404, 'NoSuchKey')],
  ])('whose delete is answered by %s has deleted it', async (_title, deleteOne) => {
    const { outcome } = await deleteAll(single(deleteOne), ['a']);
    expect(await outcome).toEqual({ deleted: ['a'], failed: [] });
  });

  test('ends at once when it is told to, with the reason', async () => {
    const stop = new AbortController();
    const reason = new Error('the process is ending');
    let asked = 0;
    const server = await scriptedServer(
      single(() => {
        asked += 1;
        if (asked === 16) setImmediate(() => stop.abort(reason));
      }),
    );
    await expect(within(5_000, 'it ended', server.driver().delete(names, stop.signal))).rejects.toBe(reason);
    expect(asked).toBe(16);
  });

  test('and slow begins no request after the limit, and says so of what is left', async () => {
    const server = await scriptedServer(
      single(async (exchange) => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        return gone(exchange);
      }),
    );
    const client = new AwsSdkClient(server.location, server.credentialsFolder);
    const deleter = new MultiObjectDeleter(client, { limitMs: 100, lookAgainAfterMs: 0 });
    const left = await deleter.delete(names, never());
    expect(left.size).toBeGreaterThanOrEqual(names.length - 16);
    expect(left.get('name-99')).toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('the next pass goes on'),
    });
    client.close();
  });
});

test('a service that asks to wait for an hour is not waited for', async () => {
  const { outcome } = await deleteAll(refusal(503, 'SlowDown', { 'Retry-After': '3600' }), ['a']);
  await expect(within(30_000, 'it gave up', outcome)).rejects.toMatchObject({ failure: 'throttled' });
});
