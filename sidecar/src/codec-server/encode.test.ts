import { expectError } from '@largepayload/testing/service/http-call';
import { digestOf, generatedBytes } from '@largepayload/testing/service/payload';
import { filesIn, startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  base64,
  decoded,
  keyIn,
  payload,
  payloadsOf,
  post,
  startCodec,
  stored,
  type TestCodecServer,
} from './codec-server.fixture.ts';

const large = payload(generatedBytes(200_000), 'binary/plain');
const small = payload('"small"');

let service: TestService;
let codec: TestCodecServer;
beforeAll(async () => {
  service = await startService();
  codec = await startCodec(service.data, { previewAbove: 250_000 });
});
afterAll(async () => {
  await codec.stop();
  await service[Symbol.asyncDispose]();
});

test('what is above the threshold is stored, and reads back; the rest passes through', async () => {
  const odd = { ...small, unknown: 1, metadata: { encoding: 'anNvbi9wbGFpbg' } };
  const answer = await post(codec, '/encode', [small, large, odd], { 'X-Namespace': 'orders' });
  const encoded = payloadsOf(answer);
  expect([encoded[0], encoded[2]]).toEqual([small, odd]);
  const [, reference = {}] = encoded;
  expect(reference.metadata).toEqual({
    encoding: base64('json/plain'),
    'temporal.io/remote-codec': base64('v2'),
  });
  expect(keyIn(reference)).toContain(`/blobs/orders/common/${digestOf(generatedBytes(200_000))}/`);
  expect(await decoded(codec, ...encoded)).toEqual([small, large, odd]);
  // A reference is left as it is, so that encoding twice is harmless.
  expect(payloadsOf(await post(codec, '/encode', encoded, { 'X-Namespace': 'orders' }))).toEqual(encoded);
});

test('a reference has no field that the caller did not send', async () => {
  const headers = { 'X-Namespace': 'orders' };
  const sizes = { externalPayloads: [{ sizeBytes: '5' }] };
  const [plain, own] = payloadsOf(await post(codec, '/encode', [large, { ...large, ...sizes }], headers));
  expect(Object.keys(plain ?? {})).toEqual(['metadata', 'data']);
  expect(own).toMatchObject(sizes);
});

describe('the namespace', () => {
  test.each([
    ['of the header', '/encode', { 'X-Namespace': 'orders.acct-1' }, 'orders.acct-1'],
    ['of the path', '/orders/encode', {}, 'orders'],
    ['of both, as the CLI sends them', '/orders/encode', { 'X-Namespace': 'orders' }, 'orders'],
    ['that is as long as may be', `/${'n'.repeat(255)}/encode`, {}, 'n'.repeat(255)],
    ['left out in the CLI', '/encode', { 'X-Namespace': '' }, 'default'],
    ['left out in the CLI, with a template', '//encode', { 'X-Namespace': '' }, 'default'],
  ])('%s is used', async (_name, path, headers, namespace) => {
    const [reference = {}] = payloadsOf(await post(codec, path, [large], headers));
    expect(keyIn(reference)).toMatch(`/blobs/${namespace}/common/`);
  });

  test.each([
    ['is needed to store', '/encode', {}],
    ['must be one', '/encode', { 'X-Namespace': '../../x' }],
    ['must be one in the path', '/..%2f..%2fx/encode', {}],
    ['must be one, not two', '/encode', { 'X-Namespace': ['orders', 'returns'] }],
    ['must not be two', '/orders/encode', { 'X-Namespace': 'returns' }],
  ])('%s', async (_name, path, headers) => {
    const before = await filesIn(service.folder);
    expectError(await post(codec, path, [large], headers), 'invalid_namespace');
    expect(await filesIn(service.folder)).toEqual(before);
    expect(codec.log.at(-1)).toMatchObject({ msg: 'refused a call', code: 'invalid_namespace' });
  });

  test('is not needed where nothing is to be stored', async () => {
    expect(payloadsOf(await post(codec, '/encode', [small]))).toEqual([small]);
  });

  test('is of no matter for decoding', async () => {
    const reference = await stored(service.data, 'anyone’s');
    for (const [path, headers] of [
      ['/returns/decode', { 'X-Namespace': 'orders' }],
      ['//decode', {}],
    ] as const) {
      expect(payloadsOf(await post(codec, path, [reference], headers))).toEqual([payload('anyone’s')]);
    }
  });
});

test('what stands for a payload is not stored in its place', async () => {
  await using down = await startService();
  await using broken = await startCodec(down.data, { previewAbove: 10 });
  const reference = await stored(down.data, 'a'.repeat(2_000));
  const previews = await decoded(broken, reference);
  await down.stop();
  const failures = await decoded(broken, await stored(service.data, 'gone'));
  for (const standIn of [...previews, ...failures]) {
    const answer = await post(codec, '/encode', [standIn], { 'X-Namespace': 'orders' });
    expectError(answer, 'invalid_payloads');
    // The Web UI formats what it was shown before it lets somebody edit it.
    const formatted = JSON.stringify(
      JSON.parse(Buffer.from(standIn.data ?? '', 'base64').toString()),
      null,
      2,
    );
    expectError(await post(codec, '/encode', [payload(formatted)]), 'invalid_payloads');
  }
  const alike = ['{"largePayload":true}', '{"largePayload":{"digest":"d"},"mine":1}', '"largePayload'];
  const own = alike.map((text) => payload(text));
  expect(payloadsOf(await post(codec, '/encode', own))).toEqual(own);
});

test.each([
  ['metadata', { metadata: { encoding: '***' }, data: '' }],
  ['data', { data: 'a' }],
  ['data', { data: 'Ł123' }],
  ['data', { data: 'YQ===' }],
  ['data', { data: 'YWJj=ZGVm' }],
  ['data', { data: 'YW\nJj' }],
])('%s that is not base64 is refused: %j', async (_name, wrong) => {
  expectError(await post(codec, '/encode', [small, wrong]), 'invalid_payloads');
});

describe('an error of the service is passed on', () => {
  test('when the service refuses a payload', async () => {
    await using own = await startService({ limits: { maxPayloadSize: 150_000 } });
    await using server = await startCodec(own.data);
    const answer = await post(server, '/encode', [large], { 'X-Namespace': 'orders' });
    expectError(answer, 'payload_too_large');
    expect(answer.body.toString()).toContain('spec.maxPayloadSize');
    const prefixed = { ...large, metadata: { 'remote-codec/key-prefix': base64('a//b') } };
    const refused = await post(codec, '/encode', [prefixed], { 'X-Namespace': 'orders' });
    expectError(refused, 'invalid_key_prefix');
  });

  test('when it is gone, or is none', async () => {
    const own = await startService();
    await using server = await startCodec(own.data);
    await using mistaken = await startCodec(own.metrics);
    const headers = { 'X-Namespace': 'orders' };
    expectError(await post(mistaken, '/encode', [large], headers), 'unknown_route');
    await own[Symbol.asyncDispose]();
    const answer = await post(server, '/encode', [small, large], headers);
    expectError(answer, 'storage_unavailable');
    expect(server.log).toContainEqual(expect.objectContaining({ code: 'storage_unavailable' }));
  });
});
