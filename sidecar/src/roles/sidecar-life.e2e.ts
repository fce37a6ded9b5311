import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from '@largepayload/testing/processes/process-facts';
import { tcpProxy } from '@largepayload/testing/servers/tcp-proxy';
import { call, keyOf } from '@largepayload/testing/service/http-call';
import { peakMemoryOfGibibyte } from '@largepayload/testing/service/huge-payload';
import {
  generatedBytes,
  getPath,
  type TestPayload,
  testPayload,
} from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { writeCertificateSecret, writeSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually, within } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const MIB = 1024 * 1024;

const { serve, sidecar, newFolder } = realProgram();

const portOf = (address: string) => Number(address.split(':').at(-1));
const put = (to: ServingProcess, { putPath, putHeaders, bytes }: TestPayload) =>
  call(to.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });

async function standalone(name: string) {
  return await serve({ dataFolder: await newFolder(name) });
}

test('certificate and authorities are exchanged while many requests pass, and none fails', async () => {
  const [one, two] = [testAuthority('one'), testAuthority('two')];
  const [tls, pod] = [await newFolder('rotated-tls'), await newFolder('rotated-pod')];
  await writeCertificateSecret(tls, one.issue());
  await writeSecret(pod, { 'ca.crt': one.certificate, token: 'a.b.c' });
  const dataFolder = await newFolder('rotated');
  await using gateway = await serve({ role: 'gateway', dataFolder, args: ['--tls-dir', tls] });
  await using beside = await sidecar(`https://localhost:${portOf(gateway.data)}`, {
    args: ['--ca-file', join(pod, 'ca.crt'), '--token-file', join(pod, 'token')],
  });
  await eventually('it is ready', async () => (await call(beside.metrics, '/readyz')).status === 200);
  const statuses: number[] = [];
  let isOver = false;
  const load = async (first: number) => {
    for (let seed = first; !isOver; seed += 10) {
      statuses.push((await put(beside, testPayload(generatedBytes(20_000, seed)))).status);
    }
  };
  const passed = async (count: number) => {
    const end = statuses.length + count;
    await eventually('requests pass', () => statuses.length >= end);
  };
  const loads = [1, 2, 3, 4].map(load);
  await passed(50);
  await writeSecret(pod, { 'ca.crt': `${one.certificate}${two.certificate}`, token: 'd.e.f' });
  await sleep(1_500);
  await writeCertificateSecret(tls, two.issue());
  await sleep(1_500);
  await writeSecret(pod, { 'ca.crt': two.certificate, token: 'd.e.f' });
  await passed(200);
  isOver = true;
  await Promise.all(loads);
  expect(new Set(statuses.filter((status) => status !== 200 && status !== 201))).toEqual(new Set());
  // A new process trusts the new authority only.
  await using later = await sidecar(`https://localhost:${portOf(gateway.data)}`, {
    args: ['--ca-file', join(pod, 'ca.crt')],
  });
  await eventually(
    'the new certificate is shown',
    async () => (await put(later, testPayload('x'))).status < 300,
  );
});

test('a token that is created late, and was 1 MB, heals by itself', async () => {
  const authority = testAuthority();
  const [tls, pod] = [await newFolder('late-tls'), await newFolder('late-pod')];
  await writeCertificateSecret(tls, authority.issue());
  await writeFile(join(pod, 'ca.crt'), authority.certificate);
  await using gateway = await serve({
    ...{ role: 'gateway', dataFolder: await newFolder('late'), args: ['--tls-dir', tls] },
  });
  await using beside = await sidecar(`https://localhost:${portOf(gateway.data)}`, {
    args: ['--ca-file', join(pod, 'ca.crt'), '--token-file', join(pod, 'token')],
  });
  const text = async () => (await put(beside, testPayload('x'))).body.toString();
  expect(await text()).toMatch(/token_unreadable.*ENOENT/);
  await writeFile(join(pod, 'token'), 'x'.repeat(1_000_000));
  await eventually('the size is refused', async () => /more than 16384 bytes/.test(await text()));
  await writeFile(join(pod, 'token'), 'a.b.c');
  await eventually('it stores', async () => (await text()).includes('"Key"'));
});

test('at SIGTERM a request in flight is finished, and then the process ends', async () => {
  await using gateway = await standalone('sigterm');
  await using beside = await sidecar(`http://${gateway.data}`);
  const payload = testPayload(generatedBytes(12 * MIB));
  const { promise: answered, resolve, reject } = Promise.withResolvers<number | undefined>();
  const outgoing = request(`http://${beside.data}${payload.putPath}`, {
    ...{ method: 'PUT', headers: payload.putHeaders, agent: false },
  });
  outgoing.on('error', reject).on('response', (response) => resolve(response.resume().statusCode));
  outgoing.write(payload.bytes.subarray(0, MIB));
  await eventually('it is in flight', async () => {
    const { body } = await call(beside.metrics, '/metrics');
    return body.toString().includes('payload_store_in_flight_requests 1');
  });
  beside.process.kill('SIGTERM');
  const other = testPayload('another');
  await eventually('it takes no more', async () => !(await put(beside, other).catch(() => undefined)));
  expect((await call(beside.metrics, '/readyz')).body.toString()).toContain('draining');
  outgoing.end(payload.bytes.subarray(MIB));
  expect(await answered).toBe(201);
  expect(await within(20_000, 'the end', beside.exited)).toBe(0);
});

test('at SIGTERM a sidecar without requests ends at once, with kept connections on both sides', async () => {
  await using gateway = await standalone('idle');
  await using beside = await sidecar(`http://${gateway.data}`);
  const payload = testPayload('some bytes');
  const stored = await fetch(`http://${beside.data}${payload.putPath}`, {
    ...{ method: 'PUT', headers: payload.putHeaders, body: new Uint8Array(payload.bytes) },
  });
  expect(((await stored.json()) as { Key: string }).Key).toMatch(/^\/blobs\/orders\//);
  beside.process.kill('SIGTERM');
  expect(await within(5_000, 'the end', beside.exited)).toBe(0);
});

test('1 GiB passes in both directions within the memory of a sidecar', { timeout: 600_000 }, async () => {
  await using gateway = await standalone('gibibyte');
  await using beside = await sidecar(`http://${gateway.data}`);
  const idle = memoryOf(beside.process.pid, 'VmRSS') * MIB;
  expect((await peakMemoryOfGibibyte(beside)) - idle).toBeLessThan(32 * MIB);
});

test('100 uploads of 8 MiB to a gateway that takes nothing stay within the memory', async () => {
  await using gateway = await standalone('many');
  await using wire = await tcpProxy(portOf(gateway.data));
  await using beside = await sidecar(`http://127.0.0.1:${wire.port}`);
  const payload = testPayload(generatedBytes(8 * MIB));
  expect((await put(beside, payload)).status).toBe(201);
  wire.hang();
  const answers = Array.from({ length: 100 }, () => put(beside, payload).then(({ status }) => status));
  // 408: the body came too slowly while others waited for its place. Codecs retry both.
  for (const status of await within(90_000, 'all answers', Promise.all(answers)))
    expect([408, 503]).toContain(status);
  // 64 MiB of bodies, 24 MiB in transfer, and what the collector has not collected.
  expect(memoryOf(beside.process.pid, 'VmHWM')).toBeLessThan(256);
  wire.heal();
  await eventually('it stores again', async () => (await put(beside, payload)).status === 200);
  const key = keyOf(await put(beside, payload));
  const got = await call(beside.data, getPath(key), { headers: payload.getHeaders });
  expect(got.body.equals(payload.bytes)).toBe(true);
});
