import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { httpServer } from '@largepayload/testing/servers/test-server';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import { LargePayloadCodec } from '../temporal/codec.ts';
import { encodeReference } from '../wire/reference.ts';
import { BlobClient } from './blob-client.ts';
import {
  type Authorities,
  data,
  fileWith,
  makeAuthorities,
  pass,
  startGateway,
  wanted,
} from './service-access.fixture.ts';

const HANGS_MS = 20_000;

let made: Authorities;
beforeAll(async () => {
  made = await makeAuthorities();
});
afterAll(() => made[Symbol.asyncDispose]());
afterEach(() => vi.restoreAllMocks());

let files = 0;
const tokenFileWith = (text: string) => fileWith(made.folder, `token-${files++}`, text);
const absentFile = () => join(made.folder, `token-${files++}`);

describe('a client is refused at once', () => {
  test.each(['http://gateway.orders.svc:8577', 'http://10.0.0.1:8577', 'http://localhost.example:8577'])(
    'when a token would travel to %s without TLS',
    (url) => {
      expect(() => new BlobClient({ url, tokenFile: '/token' })).toThrow(
        /^tokenFile \(LARGE_PAYLOAD_SERVICE_TOKEN_FILE\) cannot be used with http:.* Use the https:\/\/ URL/,
      );
      expect(() => new BlobClient({ url, caFile: '/ca.crt' })).toThrow(
        /^caFile \(LARGE_PAYLOAD_SERVICE_CA_FILE\)/,
      );
    },
  );

  test.each(['', 5, null])('when %j is given as the path of a file', (path) => {
    const options = { url: 'https://gateway.orders.svc:8577', tokenFile: path as string };
    expect(() => new BlobClient(options)).toThrow(/^option tokenFile: must be the path of a file$/);
  });
});

describe('the token', () => {
  test('is shown by every request over TLS, without the line break of its file', async () => {
    await using gateway = await startGateway(made.ours.server);
    const tokenFile = await tokenFileWith('one.two.three\n');
    const client = new BlobClient({ url: gateway.url, tokenFile, caFile: made.ours.caFile });
    for (const _ of [1, 2]) expect(await client.get(wanted)).toEqual(data);
    const { size, digest } = wanted;
    await failureOf(client.put({ namespace: 'orders', size, digest, metadata: new Map(), body: data }));
    expect(gateway.shown).toEqual(Array(3).fill('Bearer one.two.three'));
    expect(gateway.connections).toHaveLength(1);
  });

  test.each(['127.0.0.1', 'localhost'])(
    'is not shown to %s by plain HTTP, where the sidecar is',
    async (host) => {
      const shown: unknown[] = [];
      await using sidecar = await httpServer((request, response) => {
        shown.push(request.headers.authorization);
        response.end(data);
      });
      const url = sidecar.url.replace('127.0.0.1', host);
      const client = new BlobClient({ url, tokenFile: absentFile(), caFile: absentFile() });
      expect(await client.get(wanted)).toEqual(data);
      expect(shown).toEqual([undefined]);
    },
  );

  test('is read again after a second', async () => {
    await using gateway = await startGateway(made.ours.server);
    const tokenFile = await tokenFileWith('first');
    const client = new BlobClient({ url: gateway.url, tokenFile, caFile: made.ours.caFile });
    await client.get(wanted);
    await rename(await tokenFileWith('second'), tokenFile);
    pass(1_001);
    await client.get(wanted);
    expect(gateway.shown).toEqual(['Bearer first', 'Bearer second']);
  });

  test('is read again at once when it was refused: the codec succeeds by itself', async () => {
    await using gateway = await startGateway(made.ours.server);
    const tokenFile = await tokenFileWith('expired');
    const options = { url: gateway.url, tokenFile, caFile: made.ours.caFile, retryTimeoutMs: HANGS_MS };
    const codec = new LargePayloadCodec(options);
    const reference = encodeReference({ version: 'v2', metadata: new Map(), ...wanted });
    gateway.token = 'renewed';
    const decoded = codec.decode([reference]);
    while (gateway.shown.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await rename(await tokenFileWith('renewed'), tokenFile);
    expect((await within(HANGS_MS, decoded))[0]?.data).toEqual(data);
    expect(gateway.shown.at(0)).toBe('Bearer expired');
    expect(gateway.shown.at(-1)).toBe('Bearer renewed');
  });

  test('that is refused gives a retryable error which has no token', async () => {
    await using gateway = await startGateway(made.ours.server);
    gateway.token = 'another';
    const tokenFile = await tokenFileWith('secret.secret.secret');
    const client = new BlobClient({ url: gateway.url, tokenFile, caFile: made.ours.caFile });
    const failure = await failureOf(client.get(wanted));
    expect(failure).toMatchObject({
      name: 'PayloadStoreUnavailableError',
      code: 'token_refused',
      status: 503,
    });
    expect(JSON.stringify(failure) + (failure as Error).stack).not.toContain('secret');
  });

  test('is waited for when its file comes later than the client', async () => {
    await using gateway = await startGateway(made.ours.server);
    const tokenFile = absentFile();
    const client = new BlobClient({ url: gateway.url, tokenFile, caFile: made.ours.caFile });
    const failure = await failureOf(client.get(wanted));
    expect(failure).toMatchObject({ code: 'token_unreadable', retryable: true, cause: { code: 'ENOENT' } });
    expect((failure as Error).message).toContain(tokenFile);
    expect(gateway.connections).toHaveLength(0);
    await writeFile(tokenFile, 'late');
    expect(await client.get(wanted)).toEqual(data);
    expect(gateway.shown).toEqual(['Bearer late']);
  });

  test.each([
    ['gone', (path: string) => rm(path)],
    ['empty', (path: string) => writeFile(path, '')],
  ])('stays when its file is %s for a while, until it is refused', async (_state, spoil) => {
    await using gateway = await startGateway(made.ours.server);
    const tokenFile = await tokenFileWith('kept');
    const client = new BlobClient({ url: gateway.url, tokenFile, caFile: made.ours.caFile });
    await client.get(wanted);
    await spoil(tokenFile);
    pass(1_001);
    expect(await client.get(wanted)).toEqual(data);
    gateway.token = 'another';
    expect(await failureOf(client.get(wanted))).toMatchObject({ code: 'token_refused' });
    expect(await failureOf(client.get(wanted))).toMatchObject({ code: 'token_unreadable' });
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'it is empty'],
    ['line breaks only', '\n\n', 'it is empty'],
    ['several lines', 'secret\nsecret\n', 'it has more than one line'],
    ['a header', 'Bearer secret', 'it has characters that no token has'],
    ['a header of its own', 'secret\r\nX-Other: secret', 'it has more than one line'],
    ['other characters', 'sëcret', 'it has characters that no token has'],
    ['1 MB', `secret${'a'.repeat(1_000_000)}`, 'it has more than 16384 bytes'],
    ['2 MiB', `secret${'a'.repeat(2 ** 21)}`, 'it has more than 16384 bytes'],
  ])('is not taken from a file with %s', async (_case, text, problem) => {
    await using gateway = await startGateway(made.ours.server);
    const tokenFile = await tokenFileWith(text);
    const client = new BlobClient({ url: gateway.url, tokenFile, caFile: made.ours.caFile });
    const failure = await failureOf(client.get(wanted));
    expect(failure).toMatchObject({
      name: 'PayloadStoreUnavailableError',
      code: 'token_unreadable',
      retryable: true,
    });
    expect((failure as Error).message).toContain(problem);
    expect((failure as Error).stack).not.toMatch(/s[eë]cret/);
    expect(gateway.connections).toHaveLength(0);
  });

  test('is not taken from a folder, nor from a pipe without a writer, which holds no thread', async () => {
    const [folder, pipe] = [absentFile(), absentFile()];
    await mkdir(folder);
    await promisify(execFile)('mkfifo', [pipe]);
    for (const tokenFile of [folder, pipe]) {
      const client = new BlobClient({ url: 'https://127.0.0.1:1', tokenFile });
      // Node has four threads for files.
      for (let count = 0; count < 5; count += 1) {
        const failure = await failureOf(client.get(wanted));
        expect(failure).toMatchObject({ code: 'token_unreadable' });
        expect((failure as Error).message).toContain('it is no regular file');
      }
    }
  });
});
