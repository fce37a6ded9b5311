import { parseLargePayloadStore } from '@largepayload/crds';
import { call } from '@largepayload/testing/service/http-call';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { clockOfNow, leaseOf } from '@largepayload/testing/service/own-objects';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { OwnObjects } from '../drivers/s3/own-objects.fixture.ts';
import {
  type Exchange,
  refusal,
  type Script,
  scriptedServer,
} from '../drivers/s3/scripted-server.fixture.ts';
import type { RoleName } from './role.ts';

const { serve } = realProgram();

/** A bucket of the store without payloads, which takes deletes as the script of the moment says. */
async function bucketThat(deletes: Script) {
  const at = { deletes };
  const own = new OwnObjects({
    'store.json': JSON.stringify({ namespace: 'default', name: 'orders' }),
    'lease.json': leaseOf('default/orders'),
    'clock.json': clockOfNow(),
  });
  const server = await scriptedServer(async (exchange: Exchange) => {
    const { method, path, response, body } = exchange;
    const query = new URL(path, 'http://bucket').searchParams;
    if (method === 'DELETE' || method === 'POST') return await at.deletes(exchange);
    if (await own.answer(exchange)) return;
    await body();
    if (query.has('versioning')) return response.end('<VersioningConfiguration/>');
    if (query.has('list-type'))
      return response.end(
        `<ListBucketResult><Name>payloads</Name><Prefix>${query.get('prefix')}</Prefix><Delimiter>/</Delimiter>` +
          '<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated></ListBucketResult>',
      );
  });
  const start = (role: RoleName) => {
    const identity = { name: 'orders', namespace: 'default' };
    const manifest = manifestOn({ s3: server.location }, { ...identity, ttl: '1h' });
    parseLargePayloadStore(manifest, 'the test');
    return serve({ role, manifest, args: ['--credentials-dir', server.credentialsFolder] });
  };
  const deleted = () => server.asked.filter(({ method }) => method === 'DELETE' || method === 'POST');
  return { at, start, deleted };
}

const takes: Script = async ({ method, response, body }) => {
  await body();
  if (method === 'DELETE') return response.writeHead(204).end();
  return response.end('<DeleteResult><Deleted><Key>write-check</Key></Deleted></DeleteResult>');
};
const json = async (service: ServingProcess, path: string) =>
  JSON.parse((await call(service.metrics, path)).body.toString());

test.concurrent.each<[string, Script, string, RegExp]>([
  [
    'the right to delete',
    refusal(403, 'AccessDenied'),
    'storage_denied',
    /access denied for s3:DeleteObject .*allow it in the policy/,
  ],
  [
    'any request that deletes',
    refusal(501, 'NotImplemented'),
    'storage_unavailable',
    /cannot delete write-check: .*lacks something that is needed here/,
  ],
])(
  'a reaper that lacks %s says so on its first day, and begins when it has it',
  async (_title, script, code, words) => {
    const bucket = await bucketThat(script);
    await using reaper = await bucket.start('reaper');
    await eventually('/readyz says it', async () =>
      words.test((await json(reaper, '/readyz')).error?.message ?? ''),
    );
    expect(await json(reaper, '/status')).toMatchObject({ ready: false, error: { code } });
    expect(reaper.log.filter(({ reason }) => words.test(String(reason)))).toHaveLength(1);
    bucket.at.deletes = takes;
    await eventually('ready', async () => (await call(reaper.metrics, '/readyz')).status === 200);
    await eventually('a pass', async () => (await json(reaper, '/status')).reaper.lastCompletedTime);
    const asked = bucket.deleted().length;
    const last = (await json(reaper, '/status')).reaper.lastCompletedTime;
    await eventually(
      'another',
      async () => (await json(reaper, '/status')).reaper.lastCompletedTime !== last,
    );
    expect(bucket.deleted(), 'the trial is over').toHaveLength(asked);
  },
);

test.concurrent('a standalone process that may not delete serves, and says so of its reaper', async () => {
  const bucket = await bucketThat(refusal(403, 'AccessDenied'));
  await using service = await bucket.start('standalone');
  const lastError = async () => (await json(service, '/status')).reaper.lastError as string | undefined;
  await eventually('it is told', async () => (await lastError())?.includes('s3:DeleteObject') === true);
  expect(await json(service, '/status')).toMatchObject({ ready: true });
  expect((await call(service.metrics, '/readyz')).status).toBe(200);
  const told = (line: object) =>
    /could not complete its pass/.test(JSON.stringify(line)) && /s3:DeleteObject/.test(JSON.stringify(line));
  expect(service.log.some(told)).toBe(true);
  bucket.at.deletes = takes;
  await eventually('well', async () => (await lastError()) === undefined);
});
