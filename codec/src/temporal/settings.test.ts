import { totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { namespaceFor, resolveSettings } from './settings.ts';

const environment = {
  LARGE_PAYLOAD_SERVICE_URL: 'http://127.0.0.1:8577',
  TEMPORAL_NAMESPACE: 'orders',
};

const defaults = {
  namespace: undefined,
  environmentNamespace: 'orders',
  ownerPrefix: true,
  decodeOnly: false,
  maxConcurrentRequests: 16,
  idleTimeoutMs: 7_000,
  retryTimeoutMs: 8_000,
  activityRetryTimeoutMs: 300_000,
  maxDecodedBytes: expect.any(Number),
  acceptPlainTextErrors: false,
};

test('all settings can come from the environment', () => {
  expect(resolveSettings({}, { ...environment, LARGE_PAYLOAD_THRESHOLD_BYTES: '1000' })).toEqual({
    ...defaults,
    url: 'http://127.0.0.1:8577',
    thresholdBytes: 1000,
  });
});

test('the threshold is 128,000 bytes by default, and an empty variable counts as unset', () => {
  expect(resolveSettings({}, environment).thresholdBytes).toBe(128_000);
  expect(resolveSettings({}, { ...environment, LARGE_PAYLOAD_THRESHOLD_BYTES: '' }).thresholdBytes).toBe(
    128_000,
  );
});

test('a third of the memory is decoded together by default, and 1 GiB at most', () => {
  const { maxDecodedBytes } = resolveSettings({}, environment);
  expect(maxDecodedBytes).toBeGreaterThan(0);
  expect(maxDecodedBytes).toBeLessThanOrEqual(Math.min(1024 ** 3, totalmem() / 3));
  const fromEnvironment = { ...environment, LARGE_PAYLOAD_MAX_DECODED_BYTES: '5000000' };
  expect(resolveSettings({}, fromEnvironment).maxDecodedBytes).toBe(5_000_000);
  expect(resolveSettings({ maxDecodedBytes: 7 }, fromEnvironment).maxDecodedBytes).toBe(7);
});

test('options win over the environment, zero included', () => {
  const options = {
    url: 'https://store.example/base',
    namespace: 'billing',
    thresholdBytes: 0,
    ownerPrefix: false,
    decodeOnly: true,
    maxConcurrentRequests: 1,
    idleTimeoutMs: 5,
    retryTimeoutMs: 0,
    maxDecodedBytes: 0,
    acceptPlainTextErrors: true,
  };
  expect(
    resolveSettings(options, {
      ...environment,
      LARGE_PAYLOAD_THRESHOLD_BYTES: 'nonsense',
      LARGE_PAYLOAD_MAX_DECODED_BYTES: 'nonsense',
    }),
  ).toEqual({
    ...defaults,
    ...options,
    activityRetryTimeoutMs: 0,
  });
});

test.each([undefined, ''])('without a URL (%j) the error says how a pod gets one', (url) => {
  const resolve = () => resolveSettings({}, { ...environment, LARGE_PAYLOAD_SERVICE_URL: url });
  expect(resolve).toThrow(
    /set LARGE_PAYLOAD_SERVICE_URL, or pass `url`.*label largepayload\.dev\/inject: STORE.*sidecar.*127\.0\.0\.1:8577.*https:\/\/ URL of a gateway/,
  );
});

describe('the namespace', () => {
  const unset = { ...environment, TEMPORAL_NAMESPACE: '' };

  test('comes from the option, the serialization context or the environment, in that order', () => {
    const context = { namespace: 'from-context', workflowId: 'w' };
    const withOption = resolveSettings({ namespace: 'from-option' }, environment);
    expect(namespaceFor(withOption, context)).toBe('from-option');
    expect(namespaceFor(resolveSettings({}, environment), context)).toBe('from-context');
    expect(namespaceFor(resolveSettings({}, environment), {})).toBe('orders');
    expect(namespaceFor(resolveSettings({}, environment), { namespace: '' })).toBe('orders');
  });

  test('is missing: the error says where it can come from', () => {
    expect(() => namespaceFor(resolveSettings({}, unset), {})).toThrow(
      /pass `namespace` or set TEMPORAL_NAMESPACE/,
    );
  });

  test('is refused when no key can carry it, wherever it comes from', () => {
    expect(() => namespaceFor(resolveSettings({}, unset), { namespace: 'a/b' })).toThrow(
      /^serialization context: /,
    );
    const wrong = { ...environment, TEMPORAL_NAMESPACE: 'a/b' };
    expect(() => namespaceFor(resolveSettings({}, wrong), {})).toThrow(/^TEMPORAL_NAMESPACE: /);
    const chosen = resolveSettings({ namespace: 'orders' }, wrong);
    expect(namespaceFor(chosen, { namespace: 'a/b' })).toBe('orders');
  });
});

describe('an error names the setting and its source', () => {
  test.each([
    ['127.0.0.1:8577', /http:\/\/ or https:\/\//],
    ['localhost:8577', /http:\/\/ or https:\/\//],
    ['ftp://host', /http:\/\/ or https:\/\//],
    ['', /http:\/\/ or https:\/\//],
    ['http://user:secret@host', /must not contain credentials/],
    ['http://host/?a=b', /must not have a query/],
    ['http://host/#a', /must not have a query or a fragment/],
  ])('url %j', (url, message) => {
    expect(() => resolveSettings({ url }, environment)).toThrow(message);
    expect(() => resolveSettings({ url }, environment)).toThrow(/^option url: (?!.*secret)/);
  });

  test('url from the environment', () => {
    const wrong = { ...environment, LARGE_PAYLOAD_SERVICE_URL: 'nonsense' };
    expect(() => resolveSettings({}, wrong)).toThrow(/^LARGE_PAYLOAD_SERVICE_URL: /);
  });

  test.each(['', '../x', 'a/b', '.a', 'a b', 'ä', 'x'.repeat(256)])('namespace %j', (namespace) => {
    expect(() => resolveSettings({ namespace }, environment)).toThrow(/^option namespace: /);
  });

  test.each(['thresholdBytes', 'maxDecodedBytes'])('%s', (name) => {
    for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => resolveSettings({ [name]: value }, environment)).toThrow(`option ${name}: `);
    }
  });

  test.each(['maxConcurrentRequests', 'idleTimeoutMs', 'retryTimeoutMs'])('%s', (name) => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 31, '5']) {
      expect(() => resolveSettings({ [name]: value }, environment)).toThrow(`option ${name}: `);
    }
  });

  test.each(['ownerPrefix', 'decodeOnly', 'acceptPlainTextErrors'])('%s', (name) => {
    expect(() => resolveSettings({ [name]: 'false' }, environment)).toThrow(`option ${name}: `);
  });

  test.each(['128k', '-1', '1e3', ' 5', '1.5', '99999999999999999999'])('number of bytes %j', (text) => {
    for (const variable of ['LARGE_PAYLOAD_THRESHOLD_BYTES', 'LARGE_PAYLOAD_MAX_DECODED_BYTES']) {
      expect(() => resolveSettings({}, { ...environment, [variable]: text })).toThrow(`${variable}: `);
    }
  });
});
