import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { never, someName } from '../../conformance/subject.ts';
import { ObjectStoreDriver } from '../../object-store/object-store-driver.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import {
  broken,
  refusal,
  type Script,
  type ScriptedServer,
  scriptedServer,
} from '../scripted-server.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'credentials-source-'));
afterAll(() => rmSync(folder, { recursive: true }));
const tokenFile = join(folder, 'token');
const missingFile = join(folder, 'missing');
const ROLE = 'arn:aws:iam::111122223333:role/payloads';

beforeEach(() => {
  for (const variable of Object.keys(process.env)) {
    if (/^(AWS_|https?_proxy$)/i.test(variable)) vi.stubEnv(variable, undefined);
  }
  vi.stubEnv('HOME', folder);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  writeFileSync(tokenFile, 'a-token');
});
afterEach(() => vi.unstubAllEnvs());

/** What a read says whose credentials come from where the environment leads. */
async function failureOf(environment: Record<string, string>): Promise<string> {
  for (const [variable, value] of Object.entries(environment)) vi.stubEnv(variable, value);
  const storage = await scriptedServer(refusal(404, 'NoSuchKey'));
  const driver = new ObjectStoreDriver(new AwsSdkClient(storage.location, undefined), { prefix: '' });
  const failure = await driver.open(someName(1), never()).then(
    () => 'no failure',
    (error: Error & { failure?: string }) => `${error.name} ${error.failure}: ${error.message}`,
  );
  await driver.close();
  expect(storage.asked).toEqual([]);
  return failure;
}

const webIdentity = (endpoint: string, file = tokenFile) => ({
  AWS_ENDPOINT_URL_STS: endpoint,
  AWS_ROLE_ARN: ROLE,
  AWS_WEB_IDENTITY_TOKEN_FILE: file,
});
const container = (endpoint: string) => ({
  AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint}/v1/credentials`,
});
const podIdentity = (endpoint: string, file = tokenFile) => ({
  ...container(endpoint),
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
});
const metadata = (endpoint: string) => ({
  AWS_EC2_METADATA_DISABLED: 'false',
  AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
});
const inJson =
  (status: number, body: object): Script =>
  ({ response }) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
const inStsXml =
  (status: number, code: string, message: string): Script =>
  async ({ response, body }) => {
    await body();
    const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
    response
      .writeHead(status, { 'Content-Type': 'text/xml' })
      .end(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${error}</ErrorResponse>`);
  };
const silent: Script = () => {};
const hostOf = ({ endpoint }: ScriptedServer) => endpoint.replace('http://', '');

test.each<[string, Script, (endpoint: string) => Record<string, string>, RegExp]>([
  [
    'STS that does not give the role',
    inStsXml(403, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
    webIdentity,
    /denied: .*cannot get credentials: STS \(HOST\) does not give the role arn:aws:iam::111122223333:role\/payloads \(AccessDenied: Not authorized.*trust policy.*token file .*token$/,
  ],
  [
    'STS that does not know who issued the token',
    inStsXml(400, 'InvalidIdentityToken', 'No OpenIDConnect provider found in your account'),
    webIdentity,
    /denied: .*STS \(HOST\) does not take the token of the file .*token \(InvalidIdentityToken.*audience.*OIDC provider/,
  ],
  [
    'STS that says the token has expired',
    inStsXml(400, 'ExpiredTokenException', 'Token expired'),
    webIdentity,
    /denied: .*STS \(HOST\) says that the token has expired \(ExpiredTokenException.*renews .*token$/,
  ],
  [
    'STS that fails',
    inStsXml(500, 'InternalFailure', 'later'),
    webIdentity,
    /unavailable: .*STS \(HOST\) failed \(InternalFailure: later\)/,
  ],
  [
    'STS that breaks off',
    broken,
    webIdentity,
    /unavailable: .*STS \(HOST\) cannot be reached \(ECONNRESET\).*the storage was not asked/,
  ],
  [
    'the Pod Identity agent that refuses',
    inJson(400, { Code: 'AccessDeniedException', Message: 'no association' }),
    podIdentity,
    /denied: .*the EKS Pod Identity agent \(HOST\) refuses \(AccessDeniedException: no association\); check the pod identity association/,
  ],
  [
    'a container service that answers a page',
    ({ response }) => response.end('<html>a-secret-of-somebody</html>'),
    container,
    /unavailable: .*what the container's credentials service \(HOST\) answered holds no credentials/,
  ],
  [
    'a container service that fails',
    inJson(503, {}),
    container,
    /unavailable: .*the container's credentials service \(HOST\) failed \(503\)/,
  ],
  [
    'a metadata service without a role',
    refusal(404, 'none'),
    metadata,
    /denied: .*the instance metadata service \(HOST\) gives none \(404\); check that a role is attached/,
  ],
])('%s is told as that', async (_title, script, environment, pattern) => {
  const source = await scriptedServer(script);
  const words = await failureOf(environment(source.endpoint));
  expect(words.replaceAll(hostOf(source), 'HOST')).toMatch(pattern);
  expect(words).not.toContain('a-secret');
});

test.each([
  ['a token file of STS', () => webIdentity('http://127.0.0.1:1', missingFile)],
  ['a token file of Pod Identity', () => podIdentity('http://127.0.0.1:1', missingFile)],
])('%s that is missing is told by its path', async (_title, environment) => {
  expect(await failureOf(environment())).toMatch(
    /denied: .*cannot get credentials: the token file .*missing cannot be read \(ENOENT.*service account/,
  );
});

test('without configuration and metadata service the message names the ways to give credentials', async () => {
  expect(await failureOf(metadata('http://127.0.0.1:1'))).toMatch(
    /denied: .*no credentials: none are configured, and the instance metadata service \(127\.0\.0\.1:1\) cannot be reached \(ECONNREFUSED\); give them by --credentials-dir.*hop limit/,
  );
  expect(await failureOf({ AWS_EC2_METADATA_DISABLED: 'true' })).toMatch(
    /denied: .*no credentials: .*give them by --credentials-dir/,
  );
});

test('a credential_process that fails is named without its command and its output', async () => {
  const program = join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\necho a-secret >&2\nexit 3\n');
  chmodSync(program, 0o755);
  const file = join(folder, 'config');
  writeFileSync(file, `[default]\ncredential_process = ${program} --password a-secret\n`);
  const words = await failureOf({ AWS_CONFIG_FILE: file });
  expect(words).toMatch(/denied: .*the credential_process of the profile failed; run it by hand/);
  expect(words).not.toContain('a-secret');
});

test.each([
  ['AWS_ACCESS_KEY_ID', 'a\nkey'],
  ['AWS_SECRET_ACCESS_KEY', 'the-secret\r'],
  ['AWS_SESSION_TOKEN', 'the secret'],
])('a line break or a space in %s is told by its name alone', async (variable, value) => {
  const good = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
  const words = await failureOf({ ...good, [variable]: value });
  expect(words).toMatch(new RegExp(`denied: .*${variable}.* has a line break, a space`));
  expect(words).not.toContain('the-secret');
});

test('a source that never answers does not hold a caller that has stopped waiting', async () => {
  const source = await scriptedServer(silent);
  for (const [variable, value] of Object.entries(webIdentity(source.endpoint))) vi.stubEnv(variable, value);
  const storage = await scriptedServer(refusal(404, 'NoSuchKey'));
  const driver = new ObjectStoreDriver(new AwsSdkClient(storage.location, undefined), { prefix: '' });
  const stop = new AbortController();
  const opened = driver.open(someName(1), stop.signal);
  await vi.waitFor(() => expect(source.asked).toHaveLength(1), 10_000);
  stop.abort(new Error('stopped'));
  await expect(opened).rejects.toThrow('stopped');
  await driver.close();
});
