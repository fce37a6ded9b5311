import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { generatedBytes } from '@largepayload/testing/service/payload';
import {
  startService,
  type TestService,
  temporaryFolder,
} from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoded, keyIn, payload, payloadsOf, post, stored, told } from './codec-server.fixture.ts';

let folder = '';
let service: TestService;
beforeAll(async () => {
  folder = await temporaryFolder();
  service = await startService();
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../build.ts'), folder]);
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** `payload-store codec-server` as it is shipped, killed at the end of an `await using` scope. */
function program(args: readonly string[], environment = {}) {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
    process.execPath,
    [join(folder, 'payload-store.mjs'), 'codec-server', ...args],
    { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    out.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    out.stderr += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = () =>
    out.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return {
    out,
    exited,
    lines,
    end: () => child.kill('SIGTERM'),
    async listening(): Promise<{ address: string; line: Record<string, unknown> }> {
      await eventually('it listens', () => lines().some(({ msg }) => msg === 'listening'), 10_000);
      const line = lines().find(({ msg }) => msg === 'listening');
      return { address: line.codec, line };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test('serves Temporal’s tools until it is told to end', async () => {
  const url = `http://${service.data}`;
  await using codec = program(
    ['--listen', '127.0.0.1:0', '--allow-origin', 'http://127.0.0.1:8233, https://temporal.example'],
    { LARGE_PAYLOAD_SERVICE_URL: url },
  );
  const { line, address } = await codec.listening();
  expect(line).toMatchObject({
    codec: expect.stringMatching(/^127\.0\.0\.1:[1-9]/),
    url,
    origins: ['http://127.0.0.1:8233', 'https://temporal.example'],
  });
  const server = { address };
  const content = generatedBytes(1024 * 1024);
  const headers = { 'X-Namespace': 'orders', Origin: 'https://temporal.example' };
  const encoded = payloadsOf(await post(server, '/encode', [payload(content)], headers));
  expect(JSON.stringify(encoded).length).toBeLessThan(1_000);
  expect(await decoded(server, ...encoded)).toEqual([payload(content)]);
  const larger = await stored(service.data, generatedBytes(1024 * 1024 + 1));
  expect(told((await decoded(server, larger))[0])).toMatchObject({ size: 1024 * 1024 + 1, verified: true });
  codec.end();
  expect(await codec.exited).toBe(0);
  expect(codec.lines().map(({ msg }) => msg)).toEqual(['listening', 'draining', 'stopped']);
  expect(codec.out.stderr).toBe('');
});

test('starts before the service does, and keeps to what options and environment say', async () => {
  await using codec = program(
    ['--listen', '127.0.0.1:0', '--url', `http://${service.data}`, '--preview-above', '10'],
    {
      LARGE_PAYLOAD_SERVICE_URL: 'http://127.0.0.1:1',
      LARGE_PAYLOAD_THRESHOLD_BYTES: '100',
      TEMPORAL_NAMESPACE: 'returns',
    },
  );
  const { address } = await codec.listening();
  const [reference = {}] = payloadsOf(await post({ address }, '/encode', [payload('x'.repeat(200))]));
  expect(keyIn(reference)).toContain('/blobs/returns/');
  expect(told((await decoded({ address }, reference))[0])).toMatchObject({ size: 200 });
  await using early = program(['--listen', '127.0.0.1:0', '--url', 'http://127.0.0.1:1']);
  const unserved = await decoded({ address: (await early.listening()).address }, reference);
  expect(told(unserved[0])).toMatchObject({ name: 'PayloadStoreUnavailableError' });
});

describe.concurrent('arguments that make no sense end with 2 and a hint', () => {
  test.each([
    [['--listen', '8888'], 'is not HOST:PORT'],
    [['--listen', '0.0.0.0:0'], '--allow-remote'],
    [['--listen', '[::]:0'], 'whoever reaches it reads payloads'],
    [['--listen', 'codec.example:0'], '--allow-remote'],
    [['--url', 'ftp://127.0.0.1'], 'http:// or https://'],
    [['--url', 'http://user:secret@127.0.0.1'], 'must not contain credentials'],
    [['--allow-origin', '*'], 'no wildcard'],
    [['--allow-origin', 'http://127.0.0.1:8233/'], 'send http://127.0.0.1:8233'],
    [['--allow-origin', ''], '--allow-origin is empty'],
    [['--preview-above', '1x'], '--preview-above'],
    [['--preview-above', '-1'], '--preview-above'],
    [['--preview-above', '33Mi'], 'at most 32.0 MiB'],
    [['more'], 'no arguments besides options'],
  ])('%j', async (args, hint) => {
    await using codec = program(args);
    expect(await codec.exited).toBe(2);
    expect(codec.out).toEqual({ stdout: '', stderr: expect.stringContaining(hint) });
    expect(codec.out.stderr).not.toContain('secret');
  });

  test('as do settings in the environment', async () => {
    await using codec = program([], { LARGE_PAYLOAD_THRESHOLD_BYTES: 'many' });
    expect(await codec.exited).toBe(2);
    expect(codec.out.stderr).toContain('LARGE_PAYLOAD_THRESHOLD_BYTES');
  });

  test('a port in use ends with 1 and a hint', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    await using codec = program(['--listen', `127.0.0.1:${port}`]);
    expect(await codec.exited).toBe(1);
    expect(codec.out.stderr).toContain(`cannot listen on 127.0.0.1:${port}: the port is in use`);
    taken.close();
  });
});
