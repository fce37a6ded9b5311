import { createHash } from 'node:crypto';
import { decodeMetadataHeader, metadataHash } from '@largepayload/codec';
import vectors from '@largepayload/testing/wire-vectors/wire-vectors.json' with { type: 'json' };
import { describe, expect, test } from 'vitest';
import {
  formatKey,
  keyPrefixFits,
  ownerKeyPrefix,
  parseDigest,
  parseKey,
  parseKeyPrefix,
  parseNamespace,
} from './key.ts';
import { objectNames, versionOneObjectName } from './object-name.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const HASH = `sha256:${'a'.repeat(64)}`;
const DAY = 86_400_000;
const WINDOW = { end: Date.UTC(2026, 11, 24), ttl: 30 * DAY };

describe.each(vectors.vectors)(
  'what the Go codec wrote: $name',
  ({ namespace, metadata, data, reference }) => {
    const prefix = (metadata as Record<string, string>)['remote-codec/key-prefix'];
    const key = {
      window: undefined,
      namespace,
      keyPrefix: prefix === undefined ? undefined : Buffer.from(prefix, 'base64').toString(),
      digest: `sha256:${createHash('sha256').update(Buffer.from(data, 'base64')).digest('hex')}`,
      metadataHash: metadataHash(
        decodeMetadataHeader(Buffer.from(JSON.stringify(reference.metadata)).toString('base64')),
      ),
    };

    test('is the key that we write, and it is read back', () => {
      expect(formatKey(key)).toBe(reference.key);
      expect(parseKey(reference.key)).toEqual(key);
    });

    test('lies under the slashed name, and may lie under the bare one', () => {
      expect(objectNames(parseKey(reference.key))).toEqual([reference.key, reference.key.slice(1)]);
    });
  },
);

describe('keys with a window', () => {
  test.each([
    [undefined, `/expires-20261224T000000Z-30d/orders/common/${DIGEST}/${HASH}`],
    [
      'team-a/reports_2026',
      `/expires-20261224T000000Z-30d/orders/custom/team-a/reports_2026/${DIGEST}/${HASH}`,
    ],
    ['wf/b3JkZXItMQ', `/expires-20261224T000000Z-30d/orders/custom/wf/b3JkZXItMQ/${DIGEST}/${HASH}`],
  ])('prefix %s', (keyPrefix, text) => {
    const key = { window: WINDOW, namespace: 'orders', keyPrefix, digest: DIGEST, metadataHash: HASH };
    expect(formatKey(key)).toBe(text);
    expect(parseKey(text)).toEqual(key);
    expect(objectNames(key)).toEqual([text.slice(1)]);
  });

  test('version 1 of the wire API had one name for each digest', () => {
    expect(versionOneObjectName(DIGEST)).toBe(`blobs/${DIGEST}`);
  });
});

describe('a key that this service does not write', () => {
  const tail = `common/${DIGEST}/${HASH}`;
  test.each([
    '',
    '/',
    '//',
    '../../x',
    '/blobs',
    `/blobs/${tail}`,
    `blobs/orders/${tail}`,
    `//blobs/orders/${tail}`,
    `/blobs//${tail}`,
    `/blobs/orders//${tail}`,
    `/blobs/orders/${tail}/`,
    `/blobs/orders/${tail}\n`,
    ` /blobs/orders/${tail}`,
    `/blobs/../${tail}`,
    `/blobs/./${tail}`,
    `/blobs/orders/../../etc/${tail}`,
    `/blobs/.payload-store/${tail}`,
    `/.payload-store/orders/${tail}`,
    `/blobs/orders\0/${tail}`,
    `/blobs/órders/${tail}`,
    `/blobs/orders%2f..%2fbilling/${tail}`,
    `/blobs/orders/common/extra/${DIGEST}/${HASH}`,
    `/blobs/orders/custom/${DIGEST}/${HASH}`,
    `/blobs/orders/custom//${DIGEST}/${HASH}`,
    `/blobs/orders/custom/a//b/${DIGEST}/${HASH}`,
    `/blobs/orders/custom/../${DIGEST}/${HASH}`,
    `/blobs/orders/custom/a.b/${DIGEST}/${HASH}`,
    `/blobs/orders/custom/${'p'.repeat(256)}/${DIGEST}/${HASH}`,
    `/blobs/orders/custom/${'p'.repeat(255)}/${'q'.repeat(255)}/${'r'.repeat(255)}/${'s'.repeat(255)}/${DIGEST}/${HASH}`,
    `/blobs/orders/other/${DIGEST}/${HASH}`,
    `/blobs/orders/common/${DIGEST.toUpperCase()}/${HASH}`,
    `/blobs/orders/common/sha256:${'A'.repeat(64)}/${HASH}`,
    `/blobs/orders/common/sha256:${'1'.repeat(63)}/${HASH}`,
    `/blobs/orders/common/sha256:${'1'.repeat(65)}/${HASH}`,
    `/blobs/orders/common/${'1'.repeat(64)}/${HASH}`,
    `/blobs/orders/common/${DIGEST}/${HASH.replace('a', 'g')}`,
    `/blobs/orders/common/${DIGEST}/..`,
    `/blobs/orders/common/${DIGEST}`,
    `/blobs/${'n'.repeat(256)}/${tail}`,
    `/expires-20261224T000000Z-720h/orders/${tail}`,
    `/expires-20261224T000000Z/orders/${tail}`,
    `/Blobs/orders/${tail}`,
    `\\blobs\\orders\\${tail}`,
    `/blobs/orders/${tail}`.padEnd(1_100, 'f'),
  ])('%j is refused', (text) => {
    expect(() => parseKey(text)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
  });

  test('a very long one is refused without being looked at for long', () => {
    for (const text of [`/blobs/orders/custom/${'a/'.repeat(500_000)}`, '/'.repeat(1_000_000)]) {
      expect(() => parseKey(text)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
    }
  });
});

describe('namespace, digest and key prefix', () => {
  test.each(['a', '0', 'orders', 'Orders.eu-1_x', 'a..b', 'n'.repeat(255)])('namespace %j', (text) => {
    expect(parseNamespace(text)).toBe(text);
  });

  test.each([
    undefined,
    '',
    '.',
    '..',
    '-a',
    '_a',
    '.hidden',
    'a/b',
    'a b',
    'a\n',
    'ä',
    'a%00',
    'n'.repeat(256),
  ])('namespace %j is refused', (text) =>
    expect(() => parseNamespace(text)).toThrow(expect.objectContaining({ code: 'invalid_namespace' })),
  );

  test.each([
    undefined,
    '',
    'sha256:',
    DIGEST.toUpperCase(),
    `${DIGEST}\n`,
    `${DIGEST}0`,
    'md5:0',
    `sha256:${'g'.repeat(64)}`,
  ])('digest %j is refused', (text) =>
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'invalid_digest' })),
  );

  test.each(['a', 'a/b', '-_/0', 'p'.repeat(255)])('key prefix %j', (text) => {
    expect(parseKeyPrefix(text)).toBe(text);
  });

  test.each(['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/../b', 'a.b', 'a b', 'ä', 'a\n', 'p'.repeat(256)])(
    'key prefix %j is refused',
    (text) =>
      expect(() => parseKeyPrefix(text)).toThrow(expect.objectContaining({ code: 'invalid_key_prefix' })),
  );
});

describe('the key prefix of a workflow', () => {
  test.each([
    ['b3JkZXItMQ', 'wf/b3JkZXItMQ'],
    ['x'.repeat(200), `wf/${'x'.repeat(200)}`],
    ['x'.repeat(201), `wf/${'x'.repeat(200)}/x`],
    ['x'.repeat(450), `wf/${'x'.repeat(200)}/${'x'.repeat(200)}/${'x'.repeat(50)}`],
  ])('%j', (id, prefix) => {
    expect(ownerKeyPrefix(id)).toBe(prefix);
    expect(parseKeyPrefix(prefix)).toBe(prefix);
  });

  test.each(['', 'a b', 'a=', 'a+b', 'a/b', '../..', 'a\n', 'x'.repeat(20_001)])('%j is refused', (id) => {
    expect(() => ownerKeyPrefix(id)).toThrow(expect.objectContaining({ code: 'invalid_workflow_id' }));
  });

  test('that fits behind a prefix of the store leaves room for it', () => {
    const namespace = 'orders';
    const longest = [...Array(835).keys()].findLast((length) =>
      keyPrefixFits(namespace, 'x'.repeat(length), 1_024),
    );
    expect(keyPrefixFits(namespace, 'x'.repeat((longest ?? 0) - 256), 1_024 - 256)).toBe(true);
    expect(keyPrefixFits(namespace, 'x'.repeat((longest ?? 0) - 255), 1_024 - 256)).toBe(false);
  });

  test('that fits makes a key that fits, in the longest window there is', () => {
    const longest = { end: Date.UTC(9999, 11, 31), ttl: 315_359_999_000 };
    for (let length = 1; length < 1_000; length += 1) {
      const keyPrefix = ownerKeyPrefix('x'.repeat(length));
      const text = formatKey({
        window: longest,
        namespace: 'orders',
        keyPrefix,
        digest: DIGEST,
        metadataHash: HASH,
      });
      expect(text.length <= 1_024, `${length}`).toBe(keyPrefixFits('orders', keyPrefix, 1_024));
      if (keyPrefixFits('orders', keyPrefix, 1_024)) expect(parseKey(text).keyPrefix).toBe(keyPrefix);
    }
  });
});

test('the longest prefix that an owner can have has fewer segments than a prefix may', () => {
  const prefix = ownerKeyPrefix('a'.repeat(1_024));
  expect(parseKeyPrefix(prefix)).toBe(prefix);
});
