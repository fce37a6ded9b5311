import { randomBytes } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { type RequestToSign, SignatureV4, signingTime } from './signature-v4.ts';
import { encodedKey, uriEncoded } from './uri-encoding.ts';

const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const signatureOf = (authorization: string) => /Signature=([0-9a-f]{64})$/.exec(authorization)?.[1];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature Calculations" */
test.each<[string, string, string, string, Record<string, string>, string]>([
  [
    'GET of an object',
    'GET',
    'test.txt',
    '',
    { range: 'bytes=0-9', 'x-amz-content-sha256': NOTHING },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT of an object',
    'PUT',
    'test$file.text',
    '',
    {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET of a lifecycle',
    'GET',
    '',
    'lifecycle=',
    { 'x-amz-content-sha256': NOTHING },
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'GET of a listing',
    'GET',
    '',
    'max-keys=2&prefix=J',
    { 'x-amz-content-sha256': NOTHING },
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('a %s is signed as in the documentation of S3', (_title, method, key, query, own, expected) => {
  const keys = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const time = '20130524T000000Z';
  const headers = { host: 'examplebucket.s3.amazonaws.com', 'x-amz-date': time, ...own };
  const payloadHash = own['x-amz-content-sha256'] ?? '';
  const signature = new SignatureV4({ region: 'us-east-1', service: 's3' });
  const path = `/${encodedKey(key)}`;
  const authorization = signature.authorization({ method, path, query, headers, payloadHash }, keys, time);
  expect(signatureOf(authorization)).toBe(expected);
  expect(authorization).toContain(
    `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${Object.keys(headers).sort().join(';')}, `,
  );
});

/** The files `*.authz` of aws-sig-v4-test-suite, of those that no rule for other services than S3 changes. */
test.each<[string, Partial<RequestToSign>, string]>([
  ['get-vanilla', {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  [
    'get-vanilla-query-order-key-case',
    { query: 'Param1=value1&Param2=value2' },
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'get-header-value-trim',
    { headers: { 'my-header1': ' value1', 'my-header2': ' "a   b   c"' } },
    'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  ],
  ['post-vanilla', { method: 'POST' }, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
])('the request %s is signed as in the test suite of AWS', (_title, { headers, ...request }, expected) => {
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  const time = '20150830T123600Z';
  const whole = {
    method: 'GET',
    path: '/',
    query: '',
    payloadHash: NOTHING,
    ...request,
    headers: { host: 'example.amazonaws.com', 'x-amz-date': time, ...headers },
  };
  const signature = new SignatureV4({ region: 'us-east-1', service: 'service' });
  expect(signatureOf(signature.authorization(whole, keys, time))).toBe(expected);
});

/** Numbers that follow from the seed. */
function random(seed: number) {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const text = (alphabet: readonly string[], most: number) =>
    Array.from({ length: 1 + below(most) }, () => alphabet[below(alphabet.length)]).join('');
  return { below, text };
}

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index));
const VISIBLE = PRINTABLE.slice(1);
const NAMES = [...'abcdefghijklmnopqrstuvwxyz0123456789-'];
const OBJECT_NAMES = [...PRINTABLE, '/', '//', 'sha256:', 'ä', '€', '😀', '\u0001', '\u007f', '../', './'];

test('any request is signed as Amazon’s SDK signs it', async () => {
  const seed = randomBytes(4).readUInt32LE();
  const { below, text } = random(seed);
  const ours = new SignatureV4({ region: 'eu-central-1', service: 's3' });
  let keys = { accessKeyId: '', secretAccessKey: '', sessionToken: '' };
  const credentials = Object.assign(async () => keys, { memoized: true });
  const client = new S3Client({ region: 'eu-central-1', credentials });
  const theirs = await client.config.signer();
  for (let round = 0; round < 400; round += 1) {
    // Keys and days change, and come back to those before.
    if (below(3) > 0) keys = { ...keys, accessKeyId: text(NAMES, 20), secretAccessKey: text(VISIBLE, 60) };
    keys = { ...keys, sessionToken: below(2) === 0 ? '' : text(VISIBLE, 800) };
    const signingDate = new Date(Date.UTC(2026, 0, 1) + below(4) * 43_200_000 + below(1_000));
    const own = Array.from({ length: below(8) }, () => [`x-${text(NAMES, 12)}`, text(PRINTABLE, 40)]);
    const method = ['GET', 'HEAD', 'PUT'][below(3)] ?? '';
    const path = `/${encodedKey(text(OBJECT_NAMES, 30))}`;
    const name = text(NAMES, 8);
    const value = text(PRINTABLE, 8);
    const sent = {
      ...{ method, protocol: 'https:', hostname: 'payloads.test', path, query: { [name]: value } },
      headers: { ...Object.fromEntries(own), host: 'payloads.test', 'x-amz-content-sha256': NOTHING },
    };
    const { headers } = await theirs.sign(sent as never, { signingDate });
    const { authorization: expected, ...signed } = headers as Record<string, string>;
    const query = `${uriEncoded(name)}=${uriEncoded(value)}`;
    const toSign = { method, path, query, headers: signed, payloadHash: NOTHING };
    const authorization = ours.authorization(toSign, keys, signingTime(signingDate.getTime()));
    expect(authorization, `seed ${seed}, round ${round}`).toBe(expected);
  }
});
