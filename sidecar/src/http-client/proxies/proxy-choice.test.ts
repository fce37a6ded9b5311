import { expect, test } from 'vitest';
import { nameOfProxy, proxyChoice } from './proxy-choice.ts';

const PROXY = 'http://proxy:3128';

function proxyTo(url: string, environment: Record<string, string>): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const { proxyFor } = proxyChoice(environment);
  const proxy = proxyFor(protocol === 'https:', hostname, port === '' ? undefined : Number(port));
  return proxy && nameOfProxy(proxy);
}

test.each<[string, Record<string, string>, string | undefined]>([
  ['http://s3.test', {}, undefined],
  ['http://s3.test', { HTTP_PROXY: PROXY }, PROXY],
  ['http://s3.test', { HTTPS_PROXY: PROXY }, undefined],
  ['https://s3.test', { HTTPS_PROXY: PROXY }, PROXY],
  ['https://s3.test', { HTTPS_PROXY: 'proxy:3128' }, PROXY],
  ['https://s3.test', { HTTPS_PROXY: 'user:secret@proxy:3128' }, PROXY],
  ['https://s3.test', { HTTPS_PROXY: ' https://proxy ' }, 'https://proxy'],
  ['https://s3.test', { HTTPS_PROXY: '' }, undefined],
  ['https://s3.test', { HTTPS_PROXY: 'http://other', https_proxy: PROXY }, PROXY],
  ['https://s3.test', { ALL_PROXY: PROXY }, undefined],
])('%s with %j goes by %s', (url, environment, proxy) => {
  expect(proxyTo(url, environment)).toBe(proxy);
});

test.each<[string, string, boolean]>([
  ['10.1.2.3', '10.0.0.0/8', true],
  ['11.1.2.3', '10.0.0.0/8', false],
  ['10.1.2.3', '127.0.0.1, 10.0.0.0/8', true],
  ['10.1.2.3', '127.0.0.1 10.0.0.0/8', true],
  ['10.1.2.3', '10.1.2.0-10.1.2.9', true],
  ['10.1.2.3', '10.1.2.3:9000', false],
  ['10.1.2.3:9000', '10.1.2.3:9000', true],
  ['[fd00::1]', 'fd00::/8', true],
  ['[fd00::1]', 'fd00::1', true],
  ['[fd00::1]:9000', '[fd00::1]:9000', true],
  ['[fd00::1]', '[fd00::1]:9000', false],
  ['payloads.s3.test', 's3.test', true],
  ['payloads.s3.test', '.s3.test', true],
  ['payloads.s3.test', '*.S3.test', true],
  ['payloadss3.test', 's3.test', false],
  ['s3.test', 's3.test:80', true],
  ['s3.test', '*', true],
  ['127.0.0.1', '127.*', false],
  ['10.1.2.3', '10.0.0.0/99', false],
  ['10.1.2.3', '', false],
])('http://%s with NO_PROXY %j: directly: %s', (host, noProxy, directly) => {
  expect(proxyTo(`http://${host}`, { HTTP_PROXY: PROXY, NO_PROXY: noProxy })).toBe(
    directly ? undefined : PROXY,
  );
});

test.each(['socks5://user:secret@proxy:1080', 'http://', 'ftp://proxy', 'http://user:secret@:x'])(
  'the proxy %s is refused, without its password, but for hosts that need none',
  (proxy) => {
    const environment = { HTTPS_PROXY: proxy, NO_PROXY: 'near.test' };
    expect(() => proxyTo('https://far.test', environment)).toThrow(
      /^the proxy of HTTPS_PROXY cannot be used: ((?!secret).)*give http:\/\/HOST:PORT/,
    );
    expect(proxyTo('https://near.test', environment)).toBeUndefined();
    expect(proxyChoice(environment).notices).toEqual([expect.stringContaining('cannot be used')]);
  },
);

test.each<[Record<string, string>, RegExp[]]>([
  [{ HTTPS_PROXY: 'user:secret@proxy:3128', NO_PROXY: '10.0.0.0/8, .svc localhost' }, []],
  [
    { NO_PROXY: '127.*,10.0.0.0/99,http://x' },
    [/"127\.\*" is not understood/, /10\.0\.0\.0\/99/, /http:\/\/x/],
  ],
  [{ ALL_PROXY: 'http://user:secret@proxy' }, [/ALL_PROXY is not heeded/]],
  [{ all_proxy: 'socks5://proxy' }, [/all_proxy is not heeded/]],
  [
    { HTTP_PROXY: 'http://user:secret@a', http_proxy: 'http://user:secret@b' },
    [/http_proxy and HTTP_PROXY differ; http_proxy holds/],
  ],
  [{ NO_PROXY: 'a', no_proxy: 'a' }, []],
])('of %j is said what is not understood', (environment, patterns) => {
  const { notices } = proxyChoice(environment);
  expect(notices).toEqual(patterns.map((pattern) => expect.stringMatching(pattern)));
  expect(notices.join()).not.toContain('secret');
});
