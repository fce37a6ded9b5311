import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { changingHeaders, configuration } from '../aws-sdk-settings.ts';
import type { S3Location } from '../s3-client.ts';
import { RequestTemplate, SAMPLE_CREDENTIALS, SAMPLE_KEY, type SampleRequest } from './request-template.ts';
import { encodedQuery } from './uri-encoding.ts';

beforeEach(() => {
  for (const variable of Object.keys(process.env)) {
    if (variable.startsWith('AWS_')) vi.stubEnv(variable, undefined);
  }
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 4, 1, 12) });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const bytes = Buffer.from('the payload');
const put = { size: bytes.length, sha256: createHash('sha256').update(bytes).digest() };
const COMMANDS = {
  create: (object: { Bucket: string; Key: string }, checksum: string) =>
    new PutObjectCommand({
      ...object,
      Body: bytes,
      ContentLength: bytes.length,
      ChecksumSHA256: checksum,
      IfNoneMatch: '*',
      StorageClass: 'STANDARD_IA',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'arn:aws:kms:eu-central-1:111122223333:key/abc',
    }),
  head: (object: { Bucket: string; Key: string }) =>
    new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }),
  get: (object: { Bucket: string; Key: string }) => new GetObjectCommand(object),
} as const;
type Verb = keyof typeof COMMANDS;

type Sdk = (verb: Verb, key: string) => Promise<SampleRequest>;

/** Resolves with the first request that the SDK would send, without the headers by which it counts its retries. */
function sdkFor(
  location: S3Location,
  keys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
): Sdk {
  let sent: SampleRequest[] = [];
  const settings = configuration(
    location,
    async () => keys,
    async (request) => {
      sent.push(request);
      throw new Error('seen');
    },
  );
  const client = new S3Client(settings as S3ClientConfig);
  const signDigest = changingHeaders(({ headers }) => {
    const checksum = headers['x-amz-checksum-sha256'];
    if (checksum !== undefined)
      headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
  });
  client.middlewareStack.add(signDigest, { step: 'build' });
  const withoutCounts = changingHeaders(({ headers }) => {
    for (const name of ['amz-sdk-invocation-id', 'amz-sdk-request']) delete headers[name];
  });
  client.middlewareStack.addRelativeTo(withoutCounts, {
    relation: 'before',
    toMiddleware: 'httpSigningMiddleware',
  });
  return async (verb, key) => {
    sent = [];
    const command = COMMANDS[verb]({ Bucket: location.bucket, Key: key }, put.sha256.toString('base64'));
    const failure = await client.send(command as GetObjectCommand).catch((error) => error);
    if (sent[0] === undefined) throw failure;
    return sent[0];
  };
}

const templateOf = async (location: S3Location, verb: Verb) =>
  RequestTemplate.of(await sdkFor(location, SAMPLE_CREDENTIALS)(verb, SAMPLE_KEY));

const AMAZON: S3Location = { bucket: 'payloads', prefix: '', forcePathStyle: false, region: 'eu-central-1' };
const ELSEWHERE = { ...AMAZON, endpoint: 'http://127.0.0.1:9000/base', forcePathStyle: true };
const KEYS = [
  { accessKeyId: 'AKID', secretAccessKey: 'secret' },
  { accessKeyId: 'ASIA', secretAccessKey: 'other/secret+', sessionToken: 'IQoJb3JpZ2luX2VjE=='.repeat(40) },
];
const NAMES = [
  'expires-20400101T000000Z-30d/orders/common/sha256:1/sha256:2',
  '/blobs/orders/common/sha256:1/sha256:2',
  'a b+c~d//e/./../(f)!*\'"&=?#%%2F;,@$[]{}|\\^`<>',
  'ä€😀',
  SAMPLE_KEY,
];

describe.each<[string, S3Location, Record<string, string>, string]>([
  ['of a region', AMAZON, {}, 'https://payloads.s3.eu-central-1.amazonaws.com/'],
  [
    'whose region is in the environment',
    { bucket: 'payloads', prefix: '', forcePathStyle: false },
    { AWS_REGION: 'sa-east-1' },
    'https://payloads.s3.sa-east-1.amazonaws.com/',
  ],
  ['with the bucket in the path', ELSEWHERE, {}, 'http://127.0.0.1:9000/base/payloads/'],
  [
    'with the bucket in the host',
    { ...ELSEWHERE, endpoint: 'https://s3.test', forcePathStyle: false },
    {},
    'https://payloads.s3.test/',
  ],
  [
    'whose name no host can have',
    { ...AMAZON, bucket: 'pay.loads' },
    {},
    'https://s3.eu-central-1.amazonaws.com/pay.loads/',
  ],
  [
    'whose endpoint is in the environment',
    AMAZON,
    { AWS_ENDPOINT_URL_S3: 'http://localhost:1234' },
    'http://payloads.localhost:1234/',
  ],
  [
    'by FIPS and dual stack',
    AMAZON,
    { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
    'https://payloads.s3-fips.dualstack.eu-central-1.amazonaws.com/',
  ],
  ['of China', { ...AMAZON, region: 'cn-north-1' }, {}, 'https://payloads.s3.cn-north-1.amazonaws.com.cn/'],
  [
    'behind an access point',
    { ...AMAZON, bucket: 'arn:aws:s3:eu-central-1:111122223333:accesspoint/orders' },
    {},
    'https://orders-111122223333.s3-accesspoint.eu-central-1.amazonaws.com/',
  ],
  [
    'behind an access point of an outpost',
    {
      ...AMAZON,
      bucket: 'arn:aws:s3-outposts:eu-central-1:111122223333:outpost:op-01ac5d28a6a232904:accesspoint:orders',
    },
    {},
    'https://orders-111122223333.op-01ac5d28a6a232904.s3-outposts.eu-central-1.amazonaws.com/',
  ],
])('a bucket %s', (_title, location, environment, address) => {
  test.each(['create', 'head', 'get'] as const)(
    'is sent the same %s as by Amazon’s SDK, the signature included',
    async (verb) => {
      for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
      const template = await templateOf(location, verb);
      for (const keys of KEYS) {
        const sdk = sdkFor(location, keys);
        for (const key of NAMES) {
          const { body: _body, query = {}, ...expected } = await sdk(verb, key);
          const text = encodedQuery(query);
          const path = text === '' ? expected.path : `${expected.path}?${text}`;
          const facts = verb === 'create' ? put : undefined;
          const ours = template?.signed(key, facts, keys, Date.now());
          expect(ours).toEqual({
            ...{ protocol: expected.protocol, hostname: expected.hostname, port: expected.port },
            ...{ method: expected.method, headers: expected.headers, path },
          });
          const port = ours?.port === undefined ? '' : `:${ours.port}`;
          expect(`${ours?.protocol}//${ours?.hostname}${port}${ours?.path}`.startsWith(address)).toBe(true);
        }
      }
    },
  );
});

test('a bucket whose requests are signed by the keys of a session has no template', async () => {
  const express = { ...AMAZON, region: 'us-east-1', bucket: 'payloads--use1-az4--x-s3' };
  await expect(templateOf(express, 'get')).rejects.toMatchObject({ code: 'BadLocation' });
});

test.each([
  [
    'by another algorithm',
    'AWS4-ECDSA-P256-SHA256 Credential=SAMPLE/20260501/s3/aws4_request, SignedHeaders=host,',
  ],
  [
    'by other keys',
    'AWS4-HMAC-SHA256 Credential=OTHER/20260501/r/s3/aws4_request, SignedHeaders=host, Signature=0',
  ],
  ['not at all', undefined],
])('a sample that is signed %s is no template', (_title, authorization) => {
  const headers = { host: 's3.test', ...(authorization === undefined ? {} : { authorization }) };
  const sample = { protocol: 'https:', hostname: 's3.test', method: 'GET', path: `/${SAMPLE_KEY}`, headers };
  expect(() => RequestTemplate.of(sample)).toThrow('not supported');
});
