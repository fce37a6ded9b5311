import { readdir } from 'node:fs/promises';
import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { refusesConnections } from '@largepayload/testing/servers/refuses-connections';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram } from '@largepayload/testing/service/real-program';
import { filesIn, manifestText, metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const { serve, newFolder, run, configFile } = realProgram();

const payload = testPayload(generatedBytes(2_000_000));
const { bytes, putPath, putHeaders, getHeaders } = payload;

/** A PUT of which half the body is sent. */
async function halfPut(service: { data: string; metrics: string }): Promise<RawConnection> {
  const connection = await RawConnection.open(service.data);
  await connection.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
  await connection.send(bytes.subarray(0, bytes.length / 2));
  await eventually(
    'the PUT is in transfer',
    async () => (await metric(service, 'payload_store_in_flight_requests')) === 1,
  );
  return connection;
}

test.concurrent('the line "listening" is JSON, with the addresses and the version', async () => {
  await using service = await serve({ dataFolder: await newFolder('listening') });
  const address = expect.stringMatching(/^127\.0\.0\.1:[1-9]\d*$/);
  expect(service.log.at(-1)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    msg: 'listening',
    data: address,
    metrics: address,
    admin: address,
    role: 'standalone',
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
  });
});

test.concurrent.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets a PUT in flight finish, takes nothing new, and ends with 0',
  async (signal) => {
    const dataFolder = await newFolder(signal);
    await using service = await serve({ dataFolder });
    await using putting = await halfPut(service);
    await using keptAlive = await RawConnection.open(service.data);
    await keptAlive.sendHead('HEAD /v2/health/head HTTP/1.1', {});
    expect((await keptAlive.answer()).status).toBe(200);

    service.process.kill(signal);
    service.process.kill(signal);
    await eventually('new connections are refused', () => refusesConnections(service.data));
    await keptAlive.closed();
    expectError(await call(service.metrics, '/readyz').then(asRefusal), 'draining');
    expect((await call(service.metrics, '/healthz')).status).toBe(200);

    await putting.send(bytes.subarray(bytes.length / 2));
    const answer = await putting.answer();
    expect(answer.status).toBe(201);
    expect(await service.exited).toBe(0);
    expect(await filesIn(dataFolder)).toEqual([keyOf(answer)]);
    expect(service.log.map(({ msg }) => msg)).toEqual([
      'the storage was empty: this begins a new store in it',
      'listening',
      'draining',
      'stopped',
    ]);

    await using again = await serve({ dataFolder });
    const got = await call(again.data, getPath(keyOf(answer)), { headers: getHeaders });
    expect(got.body.equals(bytes)).toBe(true);
  },
);

/** `/readyz` tells its reason beside its own field. */
function asRefusal(answer: Awaited<ReturnType<typeof call>>): Awaited<ReturnType<typeof call>> {
  const { error } = JSON.parse(answer.body.toString());
  return {
    ...answer,
    headers: { 'retry-after': '1', ...answer.headers },
    body: Buffer.from(JSON.stringify({ error })),
  };
}

test.concurrent('a process killed during a PUT leaves nothing that is seen, and nothing after a restart', async () => {
  const dataFolder = await newFolder('killed');
  const service = await serve({ dataFolder });
  await using putting = await halfPut(service);
  service.process.kill('SIGKILL');
  expect(await service.exited).toBeUndefined();
  await putting.closed();
  expect((await filesIn(dataFolder)).filter((file) => !file.startsWith('/.payload-store/'))).toEqual([]);

  await using again = await serve({ dataFolder });
  expect(await filesIn(dataFolder)).toEqual([]);
  const stored = await call(again.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
  expect(stored.status).toBe(201);
});

test.concurrent('two processes on one folder store equal payloads once', async () => {
  const dataFolder = await newFolder('shared');
  await using one = await serve({ dataFolder });
  await using other = await serve({ dataFolder });
  for (let round = 1; round <= 10; round += 1) {
    const { bytes, putPath, putHeaders, getHeaders } = testPayload(generatedBytes(200_000, round));
    const put = ({ data }: { data: string }) =>
      call(data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
    const answers = await Promise.all([put(one), put(other), put(one), put(other)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(keyOf)).size).toBe(1);
    const got = await call(other.data, getPath(keyOf(answers[0])), { headers: getHeaders });
    expect(got.body.equals(bytes)).toBe(true);
  }
  expect(await filesIn(dataFolder)).toHaveLength(10);
});

test.concurrent('a folder that belongs to another store is left as it was', async () => {
  const dataFolder = await newFolder('foreign');
  await using ours = await serve({ dataFolder, name: 'ours' });
  const stored = await call(ours.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
  const config = await configFile(manifestText({ name: 'theirs' }));
  const { code, stderr } = await run(['serve', '--config', config, '--data-dir', dataFolder]);
  expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('default/ours') });
  expect(await readdir(`${dataFolder}/.payload-store/temporary`)).toHaveLength(1);
  expect((await call(ours.data, getPath(keyOf(stored)), { headers: getHeaders })).status).toBe(200);
});

test.concurrent('connections that never sent a request do not delay the end', async () => {
  const service = await serve({ dataFolder: await newFolder('silent') });
  const silent = [service.data, service.metrics, service.admin].map((address) => RawConnection.open(address));
  const connections = await Promise.all(silent);
  const begun = performance.now();
  service.process.kill('SIGTERM');
  expect(await service.exited).toBe(0);
  // Not a measurement: without closing them the end takes the 25 s that transfers get.
  expect(performance.now() - begun).toBeLessThan(15_000);
  for (const connection of connections) await connection.closed();
});
