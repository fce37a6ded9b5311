import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCredentials } from '@largepayload/testing/s3-servers/s3-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { never, someName } from '../../conformance/subject.ts';
import { ObjectStoreDriver } from '../../object-store/object-store-driver.ts';
import { AwsSdkClient } from '../aws-sdk-client.ts';
import { refusal, scriptedServer } from '../scripted-server.fixture.ts';
import { credentialsFromFolder } from './credentials-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As the kubelet mounts a Secret: links to files below a link to a folder, which is swapped. */
function mountSecret(version: string, keyId: string, secret: string): void {
  writeCredentials(join(folder, version), keyId, secret);
  symlinkSync(version, join(folder, 'swapped-in'));
  renameSync(join(folder, 'swapped-in'), join(folder, '..data'));
}

test('a Secret that is rotated is used without a restart, its key and secret never mixed', async () => {
  mountSecret('..2026_1', 'first-key', 'first-secret');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
    symlinkSync(join('..data', name), join(folder, name));
  }
  const credentials = credentialsFromFolder(folder);
  expect(await credentials()).toMatchObject({ accessKeyId: 'first-key', secretAccessKey: 'first-secret' });
  mountSecret('..2026_2', 'second-key', 'second-secret');
  await sleep(1_050);
  expect(await credentials()).toMatchObject({ accessKeyId: 'second-key', secretAccessKey: 'second-secret' });
});

test('files that are read while the link is swapped are all of one version', async () => {
  mountSecret('..2026_2', 'second-key', 'second-secret');
  symlinkSync(join('..data', 'AWS_ACCESS_KEY_ID'), join(folder, 'AWS_ACCESS_KEY_ID'));
  // What this name would lead to had the swap happened between the two files.
  writeFileSync(join(folder, 'AWS_SECRET_ACCESS_KEY'), 'first-secret');
  expect(await credentialsFromFolder(folder)()).toMatchObject({ secretAccessKey: 'second-secret' });
});

test('requests are signed with what the files hold, a session token included', async () => {
  const server = await scriptedServer(refusal(404, 'NoSuchKey'));
  writeCredentials(folder, 'first-key');
  const driver = new ObjectStoreDriver(new AwsSdkClient(server.location, folder), { prefix: '' });
  await driver.open(someName(1), never());
  writeCredentials(folder, 'second-key');
  writeFileSync(join(folder, 'AWS_SESSION_TOKEN'), 'the-session');
  await sleep(1_050);
  await driver.open(someName(1), never());
  await driver.close();
  const sent = server.asked.map(({ headers }) => [
    /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1],
    headers['x-amz-security-token'],
  ]);
  expect(sent).toEqual([
    ['first-key', undefined],
    ['second-key', 'the-session'],
  ]);
});

test.each([
  ['no folder', () => rmSync(join(folder, 'inside'), { recursive: true })],
  ['no secret', () => rmSync(join(folder, 'inside', 'AWS_SECRET_ACCESS_KEY'))],
  ['an empty file', () => writeFileSync(join(folder, 'inside', 'AWS_SECRET_ACCESS_KEY'), '\n')],
])('%s is told by the path, and heals', async (_title, damage) => {
  mkdirSync(join(folder, 'inside'));
  writeCredentials(join(folder, 'inside'));
  damage();
  const server = await scriptedServer(refusal(404, 'NoSuchKey'));
  const client = new AwsSdkClient(server.location, join(folder, 'inside'));
  const driver = new ObjectStoreDriver(client, { prefix: '' });
  await expect(driver.open(someName(1), never())).rejects.toMatchObject({
    failure: 'denied',
    message: expect.stringMatching(/no credentials: cannot read the credentials file .*inside\/AWS_/),
  });
  writeCredentials(join(folder, 'inside'));
  expect(await driver.open(someName(1), never())).toBeUndefined();
  await driver.close();
});

test.each([
  ['AWS_ACCESS_KEY_ID', 'a-key\r\nnext'],
  ['AWS_SECRET_ACCESS_KEY', 'the-secret\nnext'],
  ['AWS_SESSION_TOKEN', 'the-secret next'],
  ['AWS_SESSION_TOKEN', 'the-secret\rnext'],
])('a %s of %j is told by the path, without what it holds', async (name, text) => {
  const at = writeCredentials(join(folder, 'inside'));
  writeFileSync(join(at, name), text);
  const server = await scriptedServer(refusal(404, 'NoSuchKey'));
  const driver = new ObjectStoreDriver(new AwsSdkClient(server.location, at), { prefix: '' });
  const failure = await driver.open(someName(1), never()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    failure: 'denied',
    message: expect.stringMatching(
      new RegExp(`no credentials: the credentials file .*inside/${name} has a line break, a space`),
    ),
  });
  expect(String(failure)).not.toMatch(/the-secret|next/);
  expect(server.asked).toEqual([]);
  await driver.close();
});

test('a key and secret that end in a line break of any kind are taken', async () => {
  const at = writeCredentials(join(folder, 'inside'));
  writeFileSync(join(at, 'AWS_ACCESS_KEY_ID'), 'a-key\r\n');
  writeFileSync(join(at, 'AWS_SECRET_ACCESS_KEY'), 'any text\n');
  writeFileSync(join(at, 'AWS_SESSION_TOKEN'), '\n');
  expect(await credentialsFromFolder(at)()).toEqual({ accessKeyId: 'a-key', secretAccessKey: 'any text' });
});
