import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLargePayloadStore } from '@largepayload/crds';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import {
  ACCESS_KEY,
  type S3Server,
  SECRET_KEY,
  writeCredentials,
} from '@largepayload/testing/s3-servers/s3-server';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { type ManifestOptions, manifestOn } from '@largepayload/testing/service/manifest';
import { generatedBytes, getPath, metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, describe, expect, test } from 'vitest';
import type { S3Location } from './s3-client.ts';
import { AWS_MANIFEST, LOCAL_MANIFEST } from './storage-document.fixture.ts';

const server = (await unlessMissing(startSeaweedfs)) as S3Server;
afterAll(() => server?.stop());
const { run, serve, newFolder, configFile } = realProgram();

const manifestOf = (s3: S3Location, options: ManifestOptions = {}) =>
  manifestOn({ s3 }, { name: 'example', ...options });
const serveOn = async (s3: S3Location, options: { ttl?: string } = {}) =>
  await serve({ manifest: manifestOf(s3, options), args: ['--credentials-dir', server.credentialsFolder] });

const put = (service: ServingProcess, content: Buffer | string) => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  return call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
};
const get = (service: ServingProcess, key: string, content: Buffer | string) =>
  call(service.data, getPath(key), { headers: testPayload(content).getHeaders });

describe.skipIf(server === undefined)('payload-store serve on a bucket', () => {
  test('stores, deduplicates, delivers, reports what is stored, and with TTL Forever nothing expires', async () => {
    await using service = await serveOn(await server.newBucket());
    for (const size of [0, 10, 1_000_000, 12_000_000]) {
      const content = generatedBytes(size);
      const created = await put(service, content);
      expect(created.status).toBe(201);
      expect((await put(service, content)).status).toBe(200);
      const got = await get(service, keyOf(created), content);
      expect(got.body.equals(content)).toBe(true);
    }
    expectError(await get(service, '/blobs/orders/common/sha256:1/x', 'x'), 'invalid_key');
    const { stdout } = await run(['du', '--admin-url', `http://${service.admin}`]);
    expect(JSON.parse(stdout.toString().split('\n')[0] ?? '')).toEqual({
      ...{ window: 'blobs', namespace: 'orders', objects: 4, bytes: 13_000_010 },
    });
    const readyz = await call(service.metrics, '/readyz');
    expect(readyz.status).toBe(200);
  });

  test('with a TTL, payloads go when they have expired, and not before', async () => {
    await using service = await serveOn(await server.newBucket(), { ttl: '8s' });
    const acknowledged = performance.now();
    const key = keyOf(await put(service, 'kept for eight seconds'));
    while (performance.now() - acknowledged < 7_800) {
      const { status } = await get(service, key, 'kept for eight seconds');
      if (performance.now() - acknowledged < 8_000) expect(status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const gone = async () => (await get(service, key, 'kept for eight seconds')).status === 404;
    await eventually('the reaper took it', gone, 10_000);
    expect(await metric(service, 'payload_store_cleanup_deleted_total')).toBe(1);
  });

  test('behind a long prefix, a name that S3 has no room for is not used', async () => {
    const place = { ...(await server.newBucket()), prefix: `${'p'.repeat(255)}/` };
    await using service = await serveOn(place, { ttl: '30d' });
    const { bytes, putPath, putHeaders } = testPayload('of a workflow with a long id');
    const putWith = (headers: Record<string, string>) =>
      call(service.data, putPath, { method: 'PUT', headers: { ...putHeaders, ...headers }, body: bytes });
    const owner = (length: number) => ({
      'X-Payload-Store-Workflow-Id': Buffer.from('w'.repeat(length)).toString('base64url'),
    });
    const chosen = (length: number) => ({
      'X-Temporal-Metadata': metadataHeader({
        'remote-codec/key-prefix': Array(length).fill('x'.repeat(100)).join('/'),
      }),
    });

    const [short, long] = [await putWith(owner(400)), await putWith(owner(450))];
    expect(keyOf(short)).toMatch(/\/orders\/custom\/wf\//);
    expect(keyOf(long)).toMatch(/\/orders\/common\//);
    expectError(await putWith(chosen(6)), 'invalid_key_prefix');
    const custom = await putWith(chosen(5));
    for (const answer of [short, long, custom]) {
      expect(answer.status).toBe(201);
      const got = await get(service, keyOf(answer), 'of a workflow with a long id');
      expect(got.body.equals(bytes)).toBe(true);
    }
  });

  test('a second store on the same place is refused with a message', async () => {
    const place = await server.newBucket();
    await using _service = await serveOn(place);
    const config = await configFile(manifestOf(place, { name: 'another' }));
    const { code, stderr } = await run([
      'serve',
      '--config',
      config,
      '--credentials-dir',
      server.credentialsFolder,
    ]);
    expect(code).toBe(5);
    expect(stderr).toMatch(/belongs to the store default\/example, not to default\/another/);
  });

  test('/readyz says what is wrong, and the service recovers by itself', async () => {
    const credentials = writeCredentials(await newFolder('rotated credentials'));
    const manifest = manifestOf(await server.newBucket());
    await using service = await serve({ manifest, args: ['--credentials-dir', credentials] });
    const content = 'stored before the credentials were wrong';
    const key = keyOf(await put(service, content));
    writeCredentials(credentials, ACCESS_KEY, 'a wrong secret');
    const readiness = async () => await call(service.metrics, '/readyz');
    await eventually('not ready', async () => (await readiness()).status === 503);
    const { error } = JSON.parse((await readiness()).body.toString());
    expect(error).toEqual({
      code: 'storage_denied',
      message: expect.stringMatching(/not accepted \(SignatureDoesNotMatch\)/),
    });
    expectError(await get(service, key, content), 'storage_denied');
    expectError(await put(service, 'another'), 'storage_denied');
    writeCredentials(credentials);
    await eventually('ready again', async () => (await readiness()).status === 200);
    expect((await get(service, key, content)).status).toBe(200);
    expect((await put(service, 'another')).status).toBe(201);
  });

  test('credentials are in no log line, answer or error, whatever goes wrong', async () => {
    const credentials = writeCredentials(await newFolder('secret credentials'));
    await writeFile(join(credentials, 'AWS_SESSION_TOKEN'), 'the-session-token');
    const manifest = manifestOf(await server.newBucket());
    const outputs: string[] = [];
    for (const [id, secret] of [
      [ACCESS_KEY, 'not-the-secret'],
      ['AKIDOFNOBODY', SECRET_KEY],
      [ACCESS_KEY, SECRET_KEY],
    ] as const) {
      writeCredentials(credentials, id, secret);
      const { stdout, stderr } = await run([
        ...['serve', '--config', await configFile(manifest), '--credentials-dir', credentials],
        ...['--listen', '127.0.0.1:1'],
      ]);
      outputs.push(stdout.toString(), stderr);
    }
    const { log } = await (async () => {
      await using service = await serveOn(await server.newBucket());
      outputs.push(JSON.stringify(await put(service, 'x')));
      outputs.push((await call(service.metrics, '/metrics')).body.toString());
      return service;
    })();
    const all = [...outputs, JSON.stringify(log)].join('\n');
    expect(all.includes('the credentials are not accepted')).toBe(true);
    for (const secret of [ACCESS_KEY, SECRET_KEY, 'AKIDOFNOBODY', 'not-the-secret', 'the-session-token']) {
      expect(all.includes(secret), secret).toBe(false);
    }
  });

  test('the manifest for AWS in docs/s3.md is valid', () => {
    const { spec } = parseLargePayloadStore(AWS_MANIFEST, 'docs/s3.md');
    expect(spec.storage.s3).toMatchObject({ bucket: 'example-payloads', prefix: 'orders/' });
  });

  test('the manifest of docs/s3.md runs unchanged except for the address', async () => {
    const { bucket } = await server.newBucket();
    const manifest = LOCAL_MANIFEST.replace(/endpoint: .*/, `endpoint: ${server.endpoint}`).replace(
      /bucket: .*/,
      `bucket: ${bucket}`,
    );
    await using service = await serve({ manifest, args: ['--credentials-dir', server.credentialsFolder] });
    expect((await put(service, 'as documented')).status).toBe(201);
  });
});
