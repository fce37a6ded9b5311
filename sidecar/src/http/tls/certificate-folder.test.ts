import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeCertificateSecret, writeSecret } from '@largepayload/testing/tls/secret-folder';
import { type TestCertificate, testAuthority } from '@largepayload/testing/tls/test-authority';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CertificateFolder } from './certificate-folder.ts';
import { assertBetter } from './certificate-pair.ts';

const AUTHORITY = testAuthority();
const DAY = 86_400_000;
const [first, second] = [AUTHORITY.issue(), AUTHORITY.issue()];

let folder: string;
let now: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certificate-folder-'));
  now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

function certificateIn(place = folder) {
  const lines: { readonly level: number; readonly msg: string; readonly reason?: string }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const certificate = new CertificateFolder(place, log);
  /** A second later, by the clock that the folder sees. */
  const lookLater = async () => {
    now += 1_001;
    await certificate.look();
    return certificate.inUse?.certificate;
  };
  return { certificate, lines, lookLater };
}

test('a certificate is served, and says until when', async () => {
  const notAfter = Date.parse('2048-05-06T07:08:09Z');
  await writeCertificateSecret(folder, AUTHORITY.issue(undefined, { notAfter }));
  const { certificate, lines, lookLater } = certificateIn();
  await lookLater();
  expect(certificate.inUse?.notAfter).toBe(notAfter);
  expect(lines).toMatchObject([
    { msg: 'a TLS certificate was loaded', notAfter: '2048-05-06T07:08:09.000Z' },
  ]);
});

test('a Secret that is changed is read again, a second after the last look at the earliest', async () => {
  await writeCertificateSecret(folder, first);
  const { certificate, lines, lookLater } = certificateIn();
  expect(await lookLater()).toBe(first.certificate);
  await writeCertificateSecret(folder, second);
  now += 900;
  await certificate.look();
  expect(certificate.inUse?.certificate).toBe(first.certificate);
  expect(await lookLater()).toBe(second.certificate);
  expect(lines.map(({ msg }) => msg)).toEqual(Array(2).fill('a TLS certificate was loaded'));
});

describe('what cannot be used leaves the last good certificate in use, and is logged once:', () => {
  const expired = AUTHORITY.issue(undefined, { notBefore: 0, notAfter: Date.now() - DAY });
  const future = AUTHORITY.issue(undefined, { notBefore: Date.now() + DAY });
  const encrypted = createPrivateKey(first.key).export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
  }) as string;
  test.each<[string, Record<string, string | undefined>, string]>([
    ['the key of another certificate', { 'tls.key': first.key }, 'tls.key is not the key of the certificate'],
    ['a certificate of another key', { 'tls.crt': first.certificate }, 'is not the key of the certificate'],
    ['half a certificate', { 'tls.crt': second.certificate.slice(0, 300) }, 'tls.crt is no certificate'],
    ['half a key', { 'tls.key': second.key.slice(0, 100) }, 'tls.key is no private key'],
    ['an empty certificate', { 'tls.crt': '' }, 'tls.crt is no certificate'],
    ['an empty key', { 'tls.key': '' }, 'tls.key is no private key'],
    ['a key with a password', { 'tls.crt': first.certificate, 'tls.key': encrypted }, 'without a password'],
    ['an expired pair', { 'tls.crt': expired.certificate, 'tls.key': expired.key }, 'expired at'],
    ['a pair of tomorrow', { 'tls.crt': future.certificate, 'tls.key': future.key }, 'is valid from'],
    ['no key', { 'tls.key': undefined }, 'cannot read tls.crt and tls.key'],
    ['no certificate', { 'tls.crt': undefined }, 'cannot read tls.crt and tls.key'],
  ])('%s', async (_name, changed, reason) => {
    const good = AUTHORITY.issue();
    await writeCertificateSecret(folder, good);
    const { certificate, lines, lookLater } = certificateIn();
    await lookLater();
    const files = { 'tls.crt': second.certificate, 'tls.key': second.key, ...changed };
    const there = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
    await writeSecret(folder, Object.fromEntries(there));
    for (let looks = 0; looks < 3; looks += 1) expect(await lookLater()).toBe(good.certificate);
    expect(certificate.problem).toContain(reason);
    expect(lines.slice(1)).toEqual([
      expect.objectContaining({ level: 40, reason: expect.stringContaining(reason) }),
    ]);
    await writeCertificateSecret(folder, second);
    expect(await lookLater()).toBe(second.certificate);
    expect(certificate.problem).toBeUndefined();
  });
});

test.each<[string, (place: string) => Promise<unknown>]>([
  ['is not there yet', async () => {}],
  ['is empty', (place) => writeSecret(place, {})],
  ['has a certificate without its key', (place) => writeSecret(place, { 'tls.crt': first.certificate })],
])('a folder that %s is read again until it has a certificate', async (_name, prepare) => {
  const place = join(folder, 'mounted later');
  await prepare(place);
  const { certificate, lines, lookLater } = certificateIn(place);
  expect(await lookLater()).toBeUndefined();
  expect(await lookLater()).toBeUndefined();
  expect(certificate.problem).toContain('cannot read tls.crt and tls.key');
  await writeCertificateSecret(place, first);
  expect(await lookLater()).toBe(first.certificate);
  expect(lines.map(({ msg }) => msg)).toEqual([
    'there is no TLS certificate yet',
    'a TLS certificate was loaded',
  ]);
});

test('files that are written one after the other, without links, are taken when they belong together', async () => {
  const write = (pair: Partial<TestCertificate>) =>
    Promise.all(
      Object.entries(pair).map(([name, text]) =>
        writeFile(join(folder, name === 'key' ? 'tls.key' : 'tls.crt'), text),
      ),
    );
  await write(first);
  const { lookLater } = certificateIn();
  expect(await lookLater()).toBe(first.certificate);
  await write({ certificate: second.certificate });
  expect(await lookLater()).toBe(first.certificate);
  await write({ key: second.key });
  expect(await lookLater()).toBe(second.certificate);
});

test('a certificate that was not valid yet is taken when its time has come, or when the last one has expired', () => {
  const pair = (notBefore: number, notAfter: number) => ({ notBefore, notAfter });
  const inUse = pair(0, 100);
  const next = pair(50, 200);
  expect(() => assertBetter(next, inUse, 49)).toThrow('is valid from');
  expect(() => assertBetter(next, inUse, 50)).not.toThrow();
  expect(() => assertBetter(pair(150, 200), inUse, 100)).not.toThrow();
  expect(() => assertBetter(next, undefined, 49)).not.toThrow();
});

test('an expired certificate is served where there is no other one, and logged once', async () => {
  const expired = AUTHORITY.issue(undefined, { notBefore: 0, notAfter: Date.now() - DAY });
  await writeCertificateSecret(folder, expired);
  const { lines, lookLater } = certificateIn();
  for (let looks = 0; looks < 3; looks += 1) expect(await lookLater()).toBe(expired.certificate);
  expect(lines.map(({ msg }) => msg)).toEqual([
    'a TLS certificate was loaded',
    'the TLS certificate has expired: clients refuse it',
  ]);
});

test('a link of a person to a file of another name is followed, and the key is beside the link', async () => {
  await writeFile(join(folder, 'fullchain.pem'), first.certificate);
  await symlink('fullchain.pem', join(folder, 'tls.crt'));
  await writeFile(join(folder, 'tls.key'), first.key);
  expect(await certificateIn().lookLater()).toBe(first.certificate);
});

test('a link to itself is no certificate, and no fault of the process', async () => {
  await symlink('tls.crt', join(folder, 'tls.crt'));
  const { certificate, lookLater } = certificateIn();
  await lookLater();
  expect(certificate.problem).toContain('ELOOP');
  await unlink(join(folder, 'tls.crt'));
});

test('a pipe without a writer is no certificate, and no look waits for it', async () => {
  for (const name of ['tls.crt', 'tls.key']) await promisify(execFile)('mkfifo', [join(folder, name)]);
  const { certificate, lookLater } = certificateIn();
  // Node has four threads for files.
  for (let looks = 0; looks < 3; looks += 1) expect(await lookLater()).toBeUndefined();
  expect(certificate.problem).toContain('it is no regular file');
});
