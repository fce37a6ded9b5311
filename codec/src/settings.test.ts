import { describe, expect, test } from 'vitest';
import { resolveSettings } from './settings.ts';

const environment = {
  LARGE_PAYLOAD_SERVICE_URL: 'http://127.0.0.1:8577',
  TEMPORAL_NAMESPACE: 'orders',
};

test('everything from the environment', () => {
  expect(resolveSettings({}, { ...environment, LARGE_PAYLOAD_THRESHOLD_BYTES: '1000' })).toEqual({
    url: 'http://127.0.0.1:8577',
    namespace: 'orders',
    thresholdBytes: 1000,
  });
});

test('128,000 bytes by default; an empty variable is unset', () => {
  expect(resolveSettings({}, environment).thresholdBytes).toBe(128_000);
  expect(resolveSettings({}, { ...environment, LARGE_PAYLOAD_THRESHOLD_BYTES: '' }).thresholdBytes).toBe(
    128_000,
  );
});

test('options win, zero included', () => {
  const options = { url: 'https://store.example/base', namespace: 'billing', thresholdBytes: 0 };
  expect(resolveSettings(options, { ...environment, LARGE_PAYLOAD_THRESHOLD_BYTES: 'nonsense' })).toEqual(
    options,
  );
});

test.each([undefined, ''])('without a URL (%j) the error says how a pod gets one', (url) => {
  const resolve = () => resolveSettings({}, { ...environment, LARGE_PAYLOAD_SERVICE_URL: url });
  expect(resolve).toThrow(
    /LARGE_PAYLOAD_SERVICE_URL is not set.*label largepayload\.dev\/inject: STORE.*pass `url`/,
  );
});

test('without a namespace the error says where it comes from', () => {
  expect(() => resolveSettings({}, { ...environment, TEMPORAL_NAMESPACE: '' })).toThrow(
    /pass `namespace` or set TEMPORAL_NAMESPACE/,
  );
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

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('thresholdBytes %d', (thresholdBytes) => {
    expect(() => resolveSettings({ thresholdBytes }, environment)).toThrow(/^option thresholdBytes: /);
  });

  test.each(['128k', '-1', '1e3', ' 5', '1.5', '99999999999999999999'])('threshold variable %j', (text) => {
    const wrong = { ...environment, LARGE_PAYLOAD_THRESHOLD_BYTES: text };
    expect(() => resolveSettings({}, wrong)).toThrow(/^LARGE_PAYLOAD_THRESHOLD_BYTES: /);
  });
});
