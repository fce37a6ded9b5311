import { expect, test } from 'vitest';
import { contradictionIn, environmentNotices } from './environment.ts';

const AMAZON = { bucket: 'payloads', prefix: '', forcePathStyle: false, region: 'eu-central-1' };
const ELSEWHERE = { ...AMAZON, endpoint: 'https://s3.test:9000', forcePathStyle: true };

test.each<[typeof AMAZON, Record<string, string>, string[]]>([
  [AMAZON, { AWS_REGION: 'eu-central-1' }, []],
  [AMAZON, { AWS_REGION: '' }, ['warn AWS_REGION is empty']],
  [AMAZON, { aws_region: 'eu-central-1' }, ['warn aws_region is not heeded']],
  [
    AMAZON,
    { AWS_ENDPOINT_URL_S3: 'https://user:secret@s3.test' },
    ['warn AWS_ENDPOINT_URL_S3 leads all requests to https://s3.test,'],
  ],
  [
    ELSEWHERE,
    { AWS_ENDPOINT_URL: 'https://other.test' },
    ['warn AWS_ENDPOINT_URL is not heeded for the bucket'],
  ],
  [ELSEWHERE, { AWS_ENDPOINT_URL_S3: ELSEWHERE.endpoint }, []],
  [ELSEWHERE, { AWS_ENDPOINT_URL: 'https://other.test', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, []],
  [
    AMAZON,
    { HTTPS_PROXY: 'http://user:secret@proxy:3128' },
    ['info payloads.s3.eu-central-1.amazonaws.com is reached by the proxy http://proxy:3128'],
  ],
  [
    ELSEWHERE,
    { HTTPS_PROXY: 'proxy:3128', NO_PROXY: 's3.test:9000' },
    ['info s3.test:9000 is reached without a proxy'],
  ],
  [ELSEWHERE, { HTTP_PROXY: 'proxy:3128' }, ['info s3.test:9000 is reached without a proxy']],
  [ELSEWHERE, { HTTPS_PROXY: 'socks5://proxy' }, ['warn the proxy of HTTPS_PROXY cannot be used']],
])('of %j with %j is told', (location, environment, expected) => {
  const told = environmentNotices(location, environment).map(({ level, text }) => `${level} ${text}`);
  expect(told).toEqual(expected.map((text) => expect.stringContaining(text)));
  expect(told.join()).not.toContain('secret');
});

test.each<[typeof AMAZON, Record<string, string>, RegExp | undefined]>([
  [AMAZON, { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' }, undefined],
  [ELSEWHERE, { AWS_USE_FIPS_ENDPOINT: 'false', AWS_USE_DUALSTACK_ENDPOINT: '' }, undefined],
  [ELSEWHERE, { AWS_USE_FIPS_ENDPOINT: 'true' }, /AWS_USE_FIPS_ENDPOINT .*spec\.storage\.s3\.endpoint/],
  [ELSEWHERE, { AWS_USE_DUALSTACK_ENDPOINT: 'true' }, /AWS_USE_DUALSTACK_ENDPOINT .*take one of them out/],
  [AMAZON, { AWS_USE_FIPS_ENDPOINT: '1' }, /AWS_USE_FIPS_ENDPOINT must be true or false/],
])('%j with %j contradict: %s', (location, environment, pattern) => {
  const words = contradictionIn(location, environment);
  if (pattern === undefined) expect(words).toBeUndefined();
  else expect(words).toMatch(pattern);
});
