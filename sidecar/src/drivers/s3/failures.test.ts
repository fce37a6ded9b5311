import { expect, test, vi } from 'vitest';
import { factsOf, inChunks, never, putInto, someBytes, someName } from '../conformance/subject.ts';
import { broken, listingFor, ok, refusal, type Script, scriptedServer } from './scripted-server.fixture.ts';
import { startS3Driver } from './start-s3-driver.ts';

/** The message at the start of the service on it. */
async function messageAtStart(script: Script, changes: object = {}): Promise<string> {
  const server = await scriptedServer(script);
  const started = startS3Driver({ ...server.location, ...changes }, server.credentialsFolder);
  return await started.then(
    async ({ driver }) => {
      await driver.close();
      return 'it started';
    },
    (error: Error & { failure?: string }) => `${error.name} ${error.failure}: ${error.message}`,
  );
}

const inOtherRegion = { 'x-amz-bucket-region': 'eu-central-1' };

test.each<[string, Script, RegExp[]]>([
  [
    'no such bucket',
    refusal(404, 'NoSuchBucket'),
    [/notFound: .*bucket payloads at http.* does not exist; create it/],
  ],
  [
    'a bucket of another region, by its header',
    refusal(301, 'PermanentRedirect', inOtherRegion),
    [/notFound: .*another region, eu-central-1; set spec\.storage\.s3\.region/],
  ],
  [
    'a bucket of another region, by its answer',
    refusal(400, 'AuthorizationHeaderMalformed', {}, '<Region>eu-west-3</Region>'),
    [/another region, eu-west-3; set spec\.storage\.s3\.region/],
  ],
  [
    'no right to list',
    refusal(403, 'AccessDenied'),
    [
      /denied: cannot list .*access denied for s3:ListBucket on the bucket payloads .*in its words.*allow it in the policy/,
    ],
  ],
  ['an unknown key', refusal(403, 'InvalidAccessKeyId'), [/denied: .*not accepted \(InvalidAccessKeyId\)/]],
  [
    'a wrong secret',
    refusal(403, 'SignatureDoesNotMatch'),
    [/denied: .*not accepted \(SignatureDoesNotMatch\)/],
  ],
  ['expired credentials', refusal(400, 'ExpiredToken'), [/denied: .*have expired .*renew them/]],
  ['a clock that is wrong', refusal(403, 'RequestTimeTooSkewed'), [/this machine's clock .*set the clock/]],
  ['too many requests', refusal(429, 'TooManyRequests'), [/throttled: .*fewer requests/]],
  ['a storage that is full', refusal(507, 'InsufficientStorage'), [/full: .*no space left/]],
  [
    'a server that is no S3',
    ({ response }) => response.end('<html>welcome</html>'),
    [/what answered is no S3 .*check the endpoint/],
  ],
  [
    'an answer in JSON',
    ({ response }) => response.writeHead(400).end('{"error":"no"}'),
    [/what answered is no S3/],
  ],
  [
    'a page that denies',
    ({ response }) =>
      response.writeHead(403, { 'Content-Type': 'text/html' }).end('<html><body>blocked</body></html>'),
    [/what answered is no S3 \(403\), perhaps a proxy; check the endpoint/],
  ],
  [
    'a redirection to a page',
    ({ response }) => response.writeHead(302, { Location: 'http://login.test/' }).end(),
    [/what answered is no S3 \(302\)/],
  ],
  ['a connection that breaks', broken, [/unavailable: .*the connection to the storage broke \(ECONNRESET/]],
  [
    'a request that the service lacks',
    refusal(501, 'NotImplemented'),
    [/lacks something .*docs\/s3-services\.md/],
  ],
  ['an odd refusal', refusal(418, 'Teapot'), [/refused with 418 \(Teapot: in its words\)/]],
])('the message at the start says what to do about %s', async (_title, script, patterns) => {
  const message = await messageAtStart(script);
  for (const pattern of patterns) expect(message).toMatch(pattern);
});

test.each([
  [
    'no server listens',
    { endpoint: 'http://127.0.0.1:1' },
    /unavailable: .*cannot be reached .*ECONNREFUSED.*check the endpoint/,
  ],
  [
    'a name that does not exist',
    { endpoint: 'http://nobody.invalid' },
    /cannot be resolved .*nobody\.invalid/,
  ],
  ['an endpoint without a host', { endpoint: 'http://' }, /notFound: .*correct spec\.storage\.s3/],
  ['a bucket that is a path', { bucket: 'a/b' }, /notFound: .*a\/b.*correct spec\.storage\.s3/],
  [
    'a directory bucket',
    { bucket: 'payloads--use1-az4--x-s3' },
    /notFound: .*signed in a way that is not supported: .*directory bucket.*correct spec\.storage\.s3/,
  ],
  [
    'a multi-Region access point',
    {
      bucket: 'arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap',
      region: 'us-east-1',
      endpoint: undefined,
      forcePathStyle: false,
    },
    /notFound: .*SigV4a.*correct spec\.storage\.s3/,
  ],
])('the message at the start names the mistake in the location: %s', async (_title, changes, pattern) => {
  expect(await messageAtStart(ok(), changes)).toMatch(pattern);
});

test('an empty AWS_REGION counts as not set', async () => {
  vi.stubEnv('AWS_REGION', '');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  const message = await messageAtStart(ok(), { endpoint: undefined, forcePathStyle: false });
  vi.unstubAllEnvs();
  expect(message).toMatch(/notFound: .*the region of the bucket is not known; set spec\.storage\.s3\.region/);
});

const listed: Script = ({ path, response }) => response.end(listingFor(path));

test('a bucket that keeps versions causes a notice, unless the credentials may not ask', async () => {
  const versions =
    (answer: Script): Script =>
    (exchange) =>
      exchange.path.includes('versioning') ? answer(exchange) : listed(exchange);
  const status =
    (text: string): Script =>
    ({ response }) =>
      response.end(`<VersioningConfiguration>${text}</VersioningConfiguration>`);
  for (const [answer, count] of [
    [status('<Status>Enabled</Status>'), 1],
    [status('<Status>Suspended</Status>'), 0],
    [status(''), 0],
    [refusal(403, 'AccessDenied'), 0],
    [refusal(501, 'NotImplemented'), 0],
  ] as const) {
    const server = await scriptedServer(versions(answer));
    const { driver, notices } = await startS3Driver(server.location, server.credentialsFolder);
    expect(notices).toHaveLength(count);
    if (count === 1) expect(notices[0]).toMatch(/keeps versions.*noncurrent/);
    await driver.close();
  }
});

test('a denial names the action that is missing', async () => {
  const name = someName('denied');
  const server = await scriptedServer(refusal(403, 'AccessDenied'));
  const driver = server.driver();
  const bytes = someBytes(10);
  const denied = (action: string) => ({
    failure: 'denied',
    message: expect.stringMatching(new RegExp(`access denied for ${action} on the bucket payloads`)),
  });
  const put = putInto(driver, name, inChunks(bytes), factsOf(bytes), { signal: never() });
  await expect(put).rejects.toMatchObject(denied('s3:PutObject'));
  await expect(driver.open(name, never())).rejects.toMatchObject(denied('s3:GetObject'));
  await expect(driver.open(name, never())).rejects.toThrow(
    /s3:ListBucket too, without which S3 says the same/,
  );
  await expect(driver.delete([name], never())).rejects.toMatchObject(denied('s3:DeleteObject'));
  await expect(driver.currentTime(never())).rejects.toMatchObject(denied('s3:GetObject'));
});
