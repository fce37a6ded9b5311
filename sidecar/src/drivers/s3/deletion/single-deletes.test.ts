import { within } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import { never } from '../../conformance/subject.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import { refusal, type Script, scriptedServer } from '../scripted-server.fixture.ts';
import { MultiObjectDeleter } from './delete-objects.ts';
import { deleteAll, gone, isMultiObjectDelete, keyIn, single } from './deletion.fixture.ts';

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

  test('ends at once when its signal is aborted, with the reason', async () => {
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

  test('and slow begins no request after the limit, and reports that for what is left', async () => {
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
