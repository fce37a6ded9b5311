import { execFile } from 'node:child_process';
import { rm, truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import { digestOf, generatedBytes } from '@largepayload/testing/service/payload';
import { filesIn, startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { objectPath } from '../drivers/filesystem/object-paths.ts';
import {
  altered,
  base64,
  decoded,
  keyIn,
  payload,
  payloadsOf,
  post,
  startCodec,
  stored,
  type TestCodecServer,
  told,
} from './codec-server.fixture.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

let service: TestService;
let codec: TestCodecServer;
beforeAll(async () => {
  service = await startService();
  codec = await startCodec(service.data, { previewAbove: 100 * KIB });
});
afterAll(async () => {
  await codec.stop();
  await service[Symbol.asyncDispose]();
});

describe('a reference becomes its payload', () => {
  test.each([
    ['of text', Buffer.from('{"order":42}')],
    ['without data', Buffer.alloc(0)],
    ['of one byte', Buffer.from([0])],
    ['as large as is shown in full', generatedBytes(100 * KIB)],
  ])('%s', async (_name, content) => {
    const [shown] = await decoded(codec, await stored(service.data, content));
    expect(shown).toEqual(payload(content));
  });

  test('with binary metadata, and none', async () => {
    const metadata: [string, Buffer][] = [
      ['encoding', Buffer.from('binary/plain')],
      ['encryption-iv', generatedBytes(64)],
      ['__proto__', Buffer.from([0xff, 0xfe])],
    ];
    const shown = await post(codec, '/decode', [
      await stored(service.data, 'with metadata', Object.fromEntries(metadata)),
      await stored(service.data, 'without', {}),
    ]);
    // As text, since an assertion on objects would not see the key `__proto__`.
    const members = metadata
      .map(([key, value]) => `"${key}":"${base64(value)}"`)
      .sort()
      .join(',');
    expect(shown.body.toString()).toContain(`{"metadata":{${members}},"data":"${base64('with metadata')}"}`);
    expect(payloadsOf(shown)[1]).toEqual({ metadata: {}, data: base64('without') });
  });

  test('and keeps what else the payload carries, but for the size that the codec had added', async () => {
    const reference = await stored(service.data, 'carried');
    expect(reference.externalPayloads).toEqual([{ sizeBytes: '7' }]);
    const others = [{ sizeBytes: '7' }, { sizeBytes: '8' }];
    const [plain, withOthers, numeric] = await decoded(
      codec,
      { ...reference, unknown: { field: true } } as typeof reference,
      { ...reference, externalPayloads: others },
      { ...reference, externalPayloads: [{ sizeBytes: 8 }, { sizeBytes: 7 }] },
    );
    expect(plain).toEqual({ ...payload('carried'), unknown: { field: true } });
    expect(withOthers?.externalPayloads).toEqual(others);
    expect(numeric?.externalPayloads).toEqual([{ sizeBytes: 8 }]);
  });

  test('when its base64 is URL-safe and unpadded', async () => {
    const reference = await stored(service.data, '???>>>');
    const loose = (text: string) => Buffer.from(text, 'base64').toString('base64url');
    const [shown] = await decoded(codec, {
      metadata: Object.fromEntries(
        Object.entries(reference.metadata ?? {}).map(([key, value]) => [key, loose(value)]),
      ),
      data: loose(reference.data ?? ''),
    });
    expect(shown).toEqual(payload('???>>>'));
  });

  test('of an encrypting codec, still encrypted', async () => {
    const cipher = generatedBytes(5_000);
    const metadata = { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from('k1') };
    const [shown] = await decoded(codec, await stored(service.data, cipher, metadata));
    expect(shown).toEqual({
      metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('k1') },
      data: base64(cipher),
    });
  });
});

test('what is no reference passes through as it came, in its place', async () => {
  const others = [
    payload('{"largePayload":1}'),
    payload(generatedBytes(300 * KIB), 'binary/encrypted'),
    { metadata: { encoding: 'YmluYXJ5L3BsYWlu' }, data: 'not base64 at all!' },
    { metadata: null, data: null },
    { data: '' },
    {},
    { metadata: {}, externalPayloads: [{ sizeBytes: '12' }], other: [1, { a: null }] },
  ];
  const reference = await stored(service.data, 'between');
  const shown = await decoded(codec, ...others.slice(0, 3), reference, ...others.slice(3));
  expect(shown).toEqual([...others.slice(0, 3), payload('between'), ...others.slice(3)]);
  expect(await decoded(codec)).toEqual([]);
});

describe('a payload too large to be shown', () => {
  test('of text is previewed, verified, and says how to fetch it', async () => {
    const content = Buffer.from(JSON.stringify({ text: 'ä'.repeat(200 * KIB) }));
    const reference = await stored(service.data, content);
    const preview = told((await decoded(codec, reference))[0]);
    expect(preview).toEqual({
      size: content.length,
      encoding: 'json/plain',
      preview: content.subarray(0, 1023).toString(),
      verified: true,
      fetch: expect.stringMatching(
        /^echo [A-Za-z0-9+/=]+ \| base64 -d \| payload-store get - --output payload$/,
      ),
      digest: digestOf(content),
      key: keyIn(reference),
    });
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      String(preview.fetch).replace(/\| payload.*/, ''),
    ]);
    expect(JSON.parse(stdout)).toEqual({
      size: content.length,
      digest: digestOf(content),
      key: keyIn(reference),
    });
  });

  test.each([
    ['other bytes', generatedBytes(2 * MIB)],
    ['control characters', Buffer.alloc(2 * MIB, 'text\u001b[31m\0')],
  ])('of %s is previewed in base64', async (_name, content) => {
    const preview = told((await decoded(codec, await stored(service.data, content, {})))[0]);
    expect(preview).toMatchObject({
      previewBase64: base64(content.subarray(0, 1024)),
      verified: true,
      size: 2 * MIB,
    });
    expect(preview).not.toHaveProperty('preview');
    expect(preview).not.toHaveProperty('encoding');
  });

  test('is not previewed when its last byte is wrong', async () => {
    await using own = await startService();
    await using server = await startCodec(own.data, { previewAbove: KIB });
    const content = generatedBytes(3 * MIB);
    const reference = await stored(own.data, content);
    content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
    const wrong = altered(reference, { digest: digestOf(content) });
    expect(told((await decoded(server, wrong))[0])).toMatchObject({ name: 'PayloadIntegrityError' });
  });

  test('is one that would make the answer too large, and smaller ones after it are shown', async () => {
    await using server = await startCodec(service.data, { limits: { decodedBytes: 10 * KIB } });
    const sizes = [6 * KIB, 6 * KIB, 4 * KIB, 1];
    const references = await Promise.all(
      sizes.map((size, index) => stored(service.data, generatedBytes(size, index + 1))),
    );
    const shown = await decoded(server, ...references);
    expect(shown.map(({ data }) => Buffer.from(data ?? '', 'base64').length > KIB)).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(shown[0]).toEqual(payload(generatedBytes(6 * KIB, 1)));
    expect(told(shown[1])).toMatchObject({ size: 6 * KIB, verified: true });
    expect(shown[2]).toEqual(payload(generatedBytes(4 * KIB, 3)));
    expect(told(shown[3])).toMatchObject({ size: 1 });
  });
});

describe('a payload that cannot be read says why, and the others are shown', () => {
  const beside = async (server: TestCodecServer, reference: Parameters<typeof decoded>[1]) => {
    const good = await stored(service.data, 'good');
    const shown = await decoded(server, good, reference, good);
    expect([shown[0], shown[2]]).toEqual([payload('good'), payload('good')]);
    return told(shown[1]);
  };

  test.each([
    ['key', { key: '/blobs/orders/common/none' }, 'PayloadRejectedError', 'invalid_key'],
    ['key of nobody', { key: '../../etc/passwd' }, 'PayloadRejectedError', 'invalid_key'],
    ['digest', { digest: digestOf(Buffer.from('other')) }, 'PayloadIntegrityError', 'instead of'],
    ['size', { size: 3 }, 'PayloadRejectedError', 'expected_length_mismatch'],
    ['size of a preview', { size: 2 ** 40 }, 'PayloadRejectedError', 'expected_length_mismatch'],
    ['size below zero', { size: -1 }, 'PayloadReferenceError', 'size'],
    ['digest in capitals', { digest: 'SHA256:00' }, 'PayloadReferenceError', 'digest'],
    ['metadata', { metadata: { encoding: 1 } }, 'PayloadReferenceError', 'metadata'],
  ])('with a wrong %s', async (_name, fields, name, message) => {
    const reference = altered(await stored(service.data, 'attacked'), fields);
    expect(await beside(codec, reference)).toMatchObject({
      name,
      message: expect.stringContaining(message),
      retryable: false,
    });
  });

  test('with the key of another payload', async () => {
    const other = await stored(service.data, 'somebody else’s');
    const reference = altered(await stored(service.data, 'attacked'), { key: keyIn(other) });
    const failure = await beside(codec, reference);
    expect(failure).toMatchObject({ name: expect.stringMatching(/Rejected|Integrity/), key: keyIn(other) });
    expect(JSON.stringify(failure)).not.toContain('somebody');
  });

  test.each([
    ['of another version', { 'temporal.io/remote-codec': base64('v9') }, undefined],
    ['without base64', undefined, '***'],
    ['with a base64 digit too many', undefined, 'abcde'],
    ['without JSON', undefined, base64('hello')],
    ['of a bomb', undefined, base64('['.repeat(300_000))],
  ])('with a reference %s', async (_name, metadata, data) => {
    const good = await stored(service.data, 'marked');
    const reference = {
      metadata: { ...good.metadata, ...metadata },
      data: data ?? good.data ?? '',
    };
    expect(await beside(codec, reference)).toMatchObject({
      name: 'PayloadReferenceError',
      message: expect.any(String),
    });
  });

  test('with a reference of 1 MB', async () => {
    const long = altered(await stored(service.data, 'padded'), { padding: ' '.repeat(1_000_000) });
    expect(await beside(codec, long)).toMatchObject({
      name: 'PayloadReferenceError',
      message: expect.stringContaining('longer than any codec writes'),
    });
  });

  test('that is stored no more, or only in part', async () => {
    await using own = await startService();
    await using server = await startCodec(own.data, { previewAbove: MIB });
    const references = [
      await stored(own.data, generatedBytes(800 * KIB, 7)),
      await stored(own.data, generatedBytes(4 * MIB, 8)),
    ];
    for (const file of await filesIn(own.folder)) {
      await truncate(objectPath(own.folder, file), 700 * KIB);
    }
    for (const shown of await decoded(server, ...references)) {
      expect(told(shown)).toMatchObject({ name: expect.stringMatching(/Integrity|Rejected|Unavailable/) });
    }
    for (const file of await filesIn(own.folder)) await rm(objectPath(own.folder, file));
    for (const shown of await decoded(server, ...references)) {
      expect(told(shown)).toMatchObject({
        name: 'PayloadNotFoundError',
        message: expect.stringContaining('key_not_found'),
        key: expect.stringMatching('^/blobs/orders/'),
        retryable: false,
      });
    }
    expect(server.log.at(-1)).toMatchObject({
      level: 40,
      msg: 'payloads not read',
      failures: { PayloadNotFoundError: 2 },
    });
  });
});

test('nothing of a payload gets into the log', async () => {
  await using own = await startService();
  await using server = await startCodec(own.data);
  const reference = await stored(own.data, 'the secret content');
  await decoded(server, payload('the secret content'), altered(reference, { digest: 'the secret content' }));
  await own.stop();
  await decoded(server, reference);
  expect(server.log.length).toBeGreaterThan(0);
  expect(JSON.stringify(server.log)).not.toMatch(/secret|dGhlIHNlY3JldC/);
});
