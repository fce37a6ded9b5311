import { mkdir, rename } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { dirname } from 'node:path';
import { call, expectError } from '@largepayload/testing/service/http-call';
import {
  digestOf,
  getHeaders,
  getPath,
  metadataHeader,
  putPath,
  testPayload,
} from '@largepayload/testing/service/payload';
import { filesIn, startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { objectPath } from '../drivers/filesystem/object-paths.ts';
import type { ErrorCode } from '../errors/service-error.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const payload = testPayload('never to be stored');
const { bytes, digest } = payload;
const hex = digest.slice('sha256:'.length);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const segments = (count: number) => Array(count).fill('a').join('/');
const entries = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k,${at}`, '']));

describe('a PUT', () => {
  afterEach(async () => expect(await filesIn(service.folder)).toEqual([]));

  const put = (path: string, headers: OutgoingHttpHeaders = {}) =>
    call(service.data, path, { method: 'PUT', headers: { ...payload.putHeaders, ...headers }, body: bytes });

  test.each<[string, string, ErrorCode]>([
    ['no namespace', `digest=${digest}`, 'invalid_namespace'],
    ['an empty namespace', `namespace=&digest=${digest}`, 'invalid_namespace'],
    ['a namespace given twice', `namespace=a&namespace=b&digest=${digest}`, 'invalid_namespace'],
    ['a namespace that climbs', `namespace=../../x&digest=${digest}`, 'invalid_namespace'],
    ['a namespace of dots', `namespace=..&digest=${digest}`, 'invalid_namespace'],
    ['a namespace with a slash, escaped', `namespace=a%2Fb&digest=${digest}`, 'invalid_namespace'],
    ['a namespace with a slash, escaped twice', `namespace=a%252Fb&digest=${digest}`, 'invalid_namespace'],
    ['a namespace with a backslash', `namespace=a%5Cb&digest=${digest}`, 'invalid_namespace'],
    ['a namespace with a NUL', `namespace=a%00b&digest=${digest}`, 'invalid_namespace'],
    ['a namespace with a line feed at its end', `namespace=orders%0A&digest=${digest}`, 'invalid_namespace'],
    ['a namespace of 300 characters', `namespace=${'n'.repeat(300)}&digest=${digest}`, 'invalid_namespace'],
    [
      'a namespace in unicode',
      `namespace=${encodeURIComponent('bestellungen-ß')}&digest=${digest}`,
      'invalid_namespace',
    ],
    ['a namespace in broken UTF-8', `namespace=%ff%fe&digest=${digest}`, 'invalid_namespace'],
    ['a namespace as an object', `namespace[a]=orders&digest=${digest}`, 'invalid_namespace'],
    ['a namespace in other spelling', `Namespace=orders&digest=${digest}`, 'invalid_namespace'],
    ['no digest', 'namespace=orders', 'invalid_digest'],
    ['an empty digest', 'namespace=orders&digest=', 'invalid_digest'],
    ['a digest in upper case', `namespace=orders&digest=sha256:${hex.toUpperCase()}`, 'invalid_digest'],
    ['a digest without its kind', `namespace=orders&digest=${hex}`, 'invalid_digest'],
    ['a digest of another kind', `namespace=orders&digest=sha1:${hex.slice(0, 40)}`, 'invalid_digest'],
    ['a short digest', `namespace=orders&digest=${digest.slice(0, -1)}`, 'invalid_digest'],
    ['a long digest', `namespace=orders&digest=${digest}0`, 'invalid_digest'],
    ['a digest with a line feed at its end', `namespace=orders&digest=${digest}%0A`, 'invalid_digest'],
    ['a digest given twice', `namespace=orders&digest=${digest}&digest=${digest}`, 'invalid_digest'],
    [
      'the digest of other bytes',
      `namespace=orders&digest=${digestOf(Buffer.from('others'))}`,
      'digest_mismatch',
    ],
  ])('with %s', async (_name, query, code) => {
    expectError(await put(`/v2/blobs/put?${query}`), code);
  });

  test.each<[string, string | string[] | undefined]>([
    ['missing', undefined],
    ['empty', ''],
    ['not base64', '{"encoding":"anNvbg=="}'],
    ['base64 of another alphabet', base64('{"a":"????"}').replaceAll('/', '_')],
    ['base64 without its padding', metadataHeader({ encoding: 'json/plain' }).replace(/=+$/, '')],
    ['base64 with something after it', `${metadataHeader({ encoding: 'a' })} `.concat('x')],
    ['no JSON', base64('encoding')],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x22, 0x22, 0x7d]).toString('base64')],
    ['a JSON array', base64('["anNvbg=="]')],
    ['a JSON string', base64('"anNvbg=="')],
    ['a JSON number', base64('7')],
    ['with a number for a value', base64('{"encoding":7}')],
    ['with an object for a value', base64('{"encoding":{"a":"b"}}')],
    ['with a value that is not base64', base64('{"encoding":"json/plain!"}')],
    ['given twice', [base64('{}'), base64('{}')]],
    ['nested deeply', base64(`${'{"a":'.repeat(20_000)}""${'}'.repeat(20_000)}`)],
  ])('whose metadata is %s', async (_name, header) => {
    const { 'X-Temporal-Metadata': _, ...others } = payload.putHeaders;
    const headers = header === undefined ? others : { ...others, 'X-Temporal-Metadata': header };
    expectError(
      await call(service.data, payload.putPath, { method: 'PUT', headers, body: bytes }),
      'invalid_metadata',
    );
  });

  test('whose metadata has more than 256 entries, with the limit in the message', async () => {
    const refused = await put(payload.putPath, { 'X-Temporal-Metadata': metadataHeader(entries(257)) });
    expectError(refused, 'invalid_metadata');
    expect(refused.body.toString()).toContain('256');
  });

  test('with a key prefix of more than 16 segments, with the limit in the message', async () => {
    const metadata = metadataHeader({ 'remote-codec/key-prefix': segments(17) });
    const refused = await put(payload.putPath, { 'X-Temporal-Metadata': metadata });
    expectError(refused, 'invalid_key_prefix');
    expect(refused.body.toString()).toContain('at most 16 segments');
  });

  test.each([
    ['/leading'],
    ['trailing/'],
    ['two//slashes'],
    ['../up'],
    ['a/../../b'],
    ['.'],
    ['with space'],
    ['dots.are.not'],
    ['per%2Fcent'],
    ['nul\0'],
    ['line\n'],
    ['ümlaut'],
    ['s'.repeat(256)],
    [Array(8).fill('s'.repeat(200)).join('/')],
  ])('with the key prefix %j', async (prefix) => {
    const metadata = metadataHeader({ 'remote-codec/key-prefix': prefix });
    expectError(await put(payload.putPath, { 'X-Temporal-Metadata': metadata }), 'invalid_key_prefix');
  });

  test.each([
    ['missing', undefined],
    ['JSON', 'application/json'],
    ['empty', ''],
    ['with a parameter', 'application/octet-stream; charset=utf-8'],
    ['no media type at all', 'octets'],
  ])('whose Content-Type is %s', async (_name, contentType) => {
    const { 'Content-Type': _, ...others } = payload.putHeaders;
    const headers = contentType === undefined ? others : { ...others, 'Content-Type': contentType };
    expectError(
      await call(service.data, payload.putPath, { method: 'PUT', headers, body: bytes }),
      'invalid_content_type',
    );
  });
});

describe('a GET', () => {
  const known = `/blobs/orders/common/${digest}/${digest}`;
  const get = (path: string, headers: OutgoingHttpHeaders = payload.getHeaders) =>
    call(service.data, path, { headers });

  test.each([
    ['no key', '/v2/blobs/get'],
    ['an empty key', '/v2/blobs/get?key='],
    ['a key given twice', `${getPath(known)}&key=${encodeURIComponent(known)}`],
    ['a key without its slash', getPath(known.slice(1))],
    ['a key that climbs', getPath(`/blobs/../../etc/${digest}/${digest}`)],
    ['a key that climbs, escaped twice', getPath(encodeURIComponent(`/blobs/../common/${digest}/${digest}`))],
    ['the identity of the store', getPath('/store.json')],
    ['a temporary file', getPath('/.payload-store/temporary/1')],
    ['an object of version 1', getPath(`/blobs/${digest}`)],
    ['a key with a NUL', getPath(`/blobs/orders\0/common/${digest}/${digest}`)],
    ['a key with a line feed at its end', getPath(`${known}\n`)],
    ['a key with an empty prefix', getPath(`/blobs/orders/custom//${digest}/${digest}`)],
    [
      'a window that no store has',
      getPath(`/expires-20261232T000000Z-30d/orders/common/${digest}/${digest}`),
    ],
    ['a window in other words', getPath(`/expires-20261224T000000Z-720h/orders/common/${digest}/${digest}`)],
    ['a key of a megabyte in escapes', getPath(`/blobs/${'%'.repeat(20_000)}`)],
    ['a key of broken escapes', '/v2/blobs/get?key=%E0%A4%A'],
  ])('with %s', async (_name, path) => {
    expectError(await get(path), 'invalid_key');
  });

  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['negative', '-1'],
    ['a fraction', '1.5'],
    ['in another notation', '0x10'],
    ['beyond all numbers', '9'.repeat(40)],
    ['given twice', ['18', '18']],
  ])('whose expected length is %s', async (_name, length) => {
    const { 'X-Payload-Expected-Content-Length': _, ...others } = getHeaders(1);
    const headers =
      length === undefined ? others : { ...others, 'X-Payload-Expected-Content-Length': length };
    expectError(await get(getPath(known), headers), 'invalid_expected_length');
  });

  test('is refused without Content-Type', async () => {
    const { 'Content-Type': _, ...headers } = payload.getHeaders;
    expectError(await get(getPath(known), headers), 'invalid_content_type');
    expectError(
      await get(getPath(known), { ...headers, 'Content-Type': 'text/plain' }),
      'invalid_content_type',
    );
  });

  test('of what is not there', async () => {
    expectError(await get(getPath(known)), 'key_not_found');
    expectError(await get(getPath(`/expires-20261224T000000Z-30d${known.slice(6)}`)), 'key_not_found');
  });

  test('of version 1 with a digest that is none', async () => {
    for (const query of ['', '?digest=', `?digest=${digest.toUpperCase()}`, '?digest=../store.json']) {
      expectError(await get(`/v1/blobs/get${query}`), 'invalid_digest');
    }
  });
});

test('a PUT whose namespace and prefix are as long as they may be can be read again', async () => {
  await using own = await startService({ ttl: '30d', reaperInterval: '1h' });
  const namespace = 'n'.repeat(255);
  const prefix = `${'p'.repeat(255)}/${'q'.repeat(200)}`;
  const headers = {
    ...payload.putHeaders,
    'X-Temporal-Metadata': metadataHeader({ 'remote-codec/key-prefix': prefix }),
  };
  const put = await call(own.data, putPath(namespace, digest), { method: 'PUT', headers, body: bytes });
  expect(put.status).toBe(201);
  const { Key } = JSON.parse(put.body.toString());
  expect(Buffer.byteLength(Key)).toBeLessThanOrEqual(1_024);
  const got = await call(own.data, getPath(Key), { headers: payload.getHeaders });
  expect(got).toMatchObject({ status: 200, body: bytes });
});

test('a PUT with as many segments and metadata entries as may be can be read again', async () => {
  await using own = await startService();
  const metadata = { ...entries(255), 'remote-codec/key-prefix': segments(16) };
  const headers = { ...payload.putHeaders, 'X-Temporal-Metadata': metadataHeader(metadata) };
  const put = await call(own.data, payload.putPath, { method: 'PUT', headers, body: bytes });
  expect(put.status).toBe(201);
  const { Key } = JSON.parse(put.body.toString());
  const got = await call(own.data, getPath(Key), { headers: payload.getHeaders });
  expect(got).toMatchObject({ status: 200, body: bytes });
});

test('a payload that was stored under more segments is still served', async () => {
  await using own = await startService();
  const put = await call(own.data, payload.putPath, {
    method: 'PUT',
    headers: payload.putHeaders,
    body: bytes,
  });
  const { Key } = JSON.parse(put.body.toString());
  const longer = Key.replace('/common/', `/custom/${segments(300)}/`);
  const [from, to] = [objectPath(own.folder, Key), objectPath(own.folder, longer)];
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  const got = await call(own.data, getPath(longer), { headers: payload.getHeaders });
  expect(got).toMatchObject({ status: 200, body: bytes });
});
