import { describe, expect, test } from 'vitest';
import { UsageError } from '../cli/exit-codes.ts';
import { sidecarSettings } from './sidecar-settings.ts';

const URL_OF_GATEWAY = 'https://documents-gateway.orders.svc:8577';
const ACCESS = { 'gateway-url': URL_OF_GATEWAY, 'token-file': '/t/token', 'ca-file': '/ca/ca.crt' };

test('options give the gateway, its token and authorities, and the addresses of the ports', () => {
  const values = { ...ACCESS, listen: '127.0.0.1:1', 'metrics-listen': '[::1]:2', 'cache-size': '64Mi' };
  expect(sidecarSettings(values, {})).toEqual({
    gateway: { url: new URL(URL_OF_GATEWAY), tokenFile: '/t/token', caFile: '/ca/ca.crt' },
    cacheSize: 64 * 1024 * 1024,
    listen: { data: { host: '127.0.0.1', port: 1 }, metrics: { host: '::1', port: 2 } },
  });
});

test('the environment says the same, and an option wins over it', () => {
  const environment = {
    LARGE_PAYLOAD_GATEWAY_URL: URL_OF_GATEWAY,
    LARGE_PAYLOAD_SERVICE_TOKEN_FILE: '/t/token',
    LARGE_PAYLOAD_SERVICE_CA_FILE: '/ca/ca.crt',
    LARGE_PAYLOAD_CACHE_SIZE: '1Mi',
    LARGE_PAYLOAD_LISTEN: '127.0.0.1:1',
    LARGE_PAYLOAD_METRICS_LISTEN: '127.0.0.1:2',
  };
  expect(sidecarSettings({ listen: '127.0.0.1:3' }, environment)).toMatchObject({
    gateway: { url: new URL(URL_OF_GATEWAY), tokenFile: '/t/token', caFile: '/ca/ca.crt' },
    cacheSize: 1024 * 1024,
    listen: { data: { port: 3 }, metrics: { port: 2 } },
  });
});

test('an environment variable that is empty counts as not set', () => {
  const settings = sidecarSettings(ACCESS, { LARGE_PAYLOAD_LISTEN: '', LARGE_PAYLOAD_CACHE_SIZE: '' });
  expect(settings.listen).toEqual({
    data: { host: '127.0.0.1', port: 8577 },
    metrics: { host: '127.0.0.1', port: 8578 },
  });
  expect(settings.cacheSize).toBe(64 * 1024 * 1024);
});

test('a cache of 0 bytes is none', () => {
  expect(sidecarSettings({ ...ACCESS, 'cache-size': '0' }, {}).cacheSize).toBe(0);
});

describe('accepted', () => {
  test.each<[string, Record<string, string | boolean>]>([
    ['http to this machine needs neither token nor CA', { 'gateway-url': 'http://127.0.0.1:8577' }],
    ['http to this machine, by its name', { 'gateway-url': 'http://localhost:8577' }],
    ['http to this machine, by IPv6', { 'gateway-url': 'http://[::1]:8577' }],
    ['a certificate of a public authority', { 'gateway-url': URL_OF_GATEWAY, 'token-file': '/t' }],
    ['a gateway that takes no tokens', { 'gateway-url': URL_OF_GATEWAY, 'ca-file': '/ca' }],
    ['a port for others, if that is meant', { ...ACCESS, listen: ':8577', 'allow-remote': true }],
  ])('%s', (_what, values) => {
    expect(sidecarSettings(values, {}).gateway.url.href).toContain(String(values['gateway-url']));
  });
});

describe('refused', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['no URL', {}, /--gateway-url URL is required, or LARGE_PAYLOAD_GATEWAY_URL/],
    ['what is no URL', { 'gateway-url': 'documents-gateway' }, /takes an https:\/\/ URL/],
    ['a URL of another kind', { 'gateway-url': 'ftp://x' }, /takes an https:\/\/ URL/],
    ['a URL with a password', { 'gateway-url': 'https://u:secret@x' }, /takes no user, password/],
    ['a URL with a query', { 'gateway-url': 'https://x/?a=b' }, /query or fragment/],
    ['http to another machine', { 'gateway-url': 'http://10.0.0.1:8577' }, /without encryption; use https/],
    ['https without token and CA', { 'gateway-url': URL_OF_GATEWAY }, /give --token-file and --ca-file/],
    [
      'a data port for others',
      { ...ACCESS, listen: ':8577' },
      /--listen :8577 can be reached.*--allow-remote/,
    ],
    [
      'a metrics port for others',
      { ...ACCESS, 'metrics-listen': '0.0.0.0:1' },
      /--metrics-listen .*--allow-remote/,
    ],
    ['a port that is none', { ...ACCESS, listen: '127.0.0.1:99999' }, /--listen: .*not HOST:PORT/],
    ['a size that is none', { ...ACCESS, 'cache-size': 'much' }, /--cache-size: /],
  ])('%s', (_what, values, message) => {
    const settings = () => sidecarSettings(values, {});
    expect(settings).toThrow(UsageError);
    expect(settings).toThrow(message);
    expect(settings).not.toThrow(/secret/);
  });
});

test('a message about a setting names the variable, if the value is from there', () => {
  const refused = (environment: Record<string, string>) => () => sidecarSettings({ ...ACCESS }, environment);
  expect(refused({ LARGE_PAYLOAD_CACHE_SIZE: 'much' })).toThrow(/^LARGE_PAYLOAD_CACHE_SIZE: /);
  expect(refused({ LARGE_PAYLOAD_LISTEN: ':8577' })).toThrow(/^LARGE_PAYLOAD_LISTEN :8577 can be reached/);
  expect(() => sidecarSettings({}, { LARGE_PAYLOAD_GATEWAY_URL: 'documents-gateway' })).toThrow(
    /^LARGE_PAYLOAD_GATEWAY_URL takes an https/,
  );
});
