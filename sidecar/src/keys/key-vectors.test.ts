import { parseDuration, putTimeLimit } from '@largepayload/crds';
import { keyVectors } from '@largepayload/testing/wire-vectors/vectors';
import { describe, expect, test } from 'vitest';
import { formatKey, keyPrefixFits, ownerKeyPrefix, parseKey } from './key.ts';
import { parseWindowName, windowForPut, windowName, windowWidth } from './window.ts';

test.each(keyVectors.windows)('a PUT at $time under a TTL of $ttl goes to $root', (vector) => {
  const ttl = parseDuration(vector.ttl);
  const window = windowForPut(Date.parse(vector.time), ttl, vector.clockDifferenceSeconds * 1_000);
  expect(windowName(window)).toBe(vector.root);
  expect(parseWindowName(vector.root)).toEqual(window);
  expect(windowWidth(ttl)).toBe(vector.widthSeconds * 1_000);
  expect(putTimeLimit(ttl)).toBe(vector.putTimeLimitMs);
});

test.each(keyVectors.owners)('the key prefix of a workflow id: $name', (vector) => {
  const { namespace, workflowId, header } = vector;
  expect(Buffer.from(workflowId).toString('base64url')).toBe(header);
  const prefix = ownerKeyPrefix(header);
  expect(keyPrefixFits(namespace, prefix, 1_024) ? prefix : null).toBe(vector.keyPrefix);
});

test.each(keyVectors.refusedOwners)('a header that is or has $name names no workflow', ({ header }) => {
  const text = typeof header === 'string' ? header : header.repeat.repeat(header.times);
  expect(() => ownerKeyPrefix(text)).toThrow(expect.objectContaining({ code: 'invalid_workflow_id' }));
});

describe('a key', () => {
  test.each(keyVectors.keys)('$key is read, and written again', ({ key, putTimeLimitMs }) => {
    const parsed = parseKey(key);
    expect(formatKey(parsed)).toBe(key);
    expect(parsed.window === undefined ? null : putTimeLimit(parsed.window.ttl)).toBe(putTimeLimitMs);
  });

  test.each(keyVectors.refusedKeys)('that is or has $name is refused', ({ key }) => {
    expect(() => parseKey(key)).toThrow(expect.objectContaining({ code: 'invalid_key' }));
  });
});
