import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { inPath } from '@largepayload/tools/debian-packages';
import { runCommand } from '@largepayload/tools/run-command';
import { describe, expect, test } from 'vitest';
import { isSignedBy, readCertificate, readPair } from './read-certificate.ts';
import { makeAuthority, makeServerCertificate } from './x509.ts';

const DAY_MS = 86_400_000;
const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const NAMES = ['*.orders.svc', '*.orders.svc.cluster.local', 'payloads.example.com'];
const lifetime = (days: number) => ({ notBefore: NOW - 300_000, notAfter: NOW + days * DAY_MS });
const authority = makeAuthority('large-payload CA one', lifetime(1_825));
const server = makeServerCertificate(NAMES, lifetime(180), authority);

test('an authority is one by Node too, for servers only, and signs no further authority', () => {
  const parsed = new X509Certificate(authority.certificate);
  expect(parsed.ca).toBe(true);
  expect(parsed.subject).toBe('CN=large-payload CA one');
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(parsed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  expect(readPair(authority)).toMatchObject({ ...lifetime(1_825), isAuthority: true, names: [] });
});

test('a certificate of servers has the names, times and issuer that it was made with', () => {
  const parsed = new X509Certificate(server.certificate);
  expect(readPair(server)).toMatchObject({ ...lifetime(180), isAuthority: false, names: NAMES });
  expect(parsed.checkHost('documents-gateway.orders.svc')).toBe('*.orders.svc');
  expect(parsed.checkHost('documents-gateway.returns.svc')).toBeUndefined();
  expect(isSignedBy(readCertificate(server.certificate), readCertificate(authority.certificate))).toBe(true);
});

test('two authorities of one name and two certificates never have a key or a serial number in common', () => {
  const other = makeAuthority('large-payload CA one', lifetime(1_825));
  const again = makeServerCertificate(NAMES, lifetime(180), authority);
  const all = [authority, other, server, again].map(({ certificate }) => new X509Certificate(certificate));
  expect(new Set(all.map(({ serialNumber }) => serialNumber)).size).toBe(4);
  expect(new Set(all.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }))).size).toBe(4);
  expect(isSignedBy(readCertificate(server.certificate), readCertificate(other.certificate))).toBe(false);
});

test.each<[string, () => unknown, string]>([
  ['a text that is none', () => readCertificate('nonsense'), 'the certificate cannot be read'],
  [
    'a truncated one',
    () => readCertificate(server.certificate.slice(0, 200)),
    'the certificate cannot be read',
  ],
  [
    'the key of another',
    () => readPair({ ...server, key: authority.key }),
    'the private key belongs to another certificate',
  ],
  [
    'a truncated key',
    () => readPair({ ...server, key: server.key.slice(0, 90) }),
    'the private key cannot be read',
  ],
])('reading %s fails with a message that has nothing of the key', (_what, read, message) => {
  let failure: Error | undefined;
  try {
    read();
  } catch (error) {
    failure = error as Error;
  }
  expect(failure?.message).toContain(message);
  expect(failure?.message).not.toContain(server.key.split('\n')[1]);
});

test('a client that trusts the authority connects by TLS 1.3, by each name, and by no other', async () => {
  const listening = createServer({ cert: server.certificate, key: server.key }, (socket) => socket.end());
  listening.on('tlsClientError', () => {});
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const handshake = async (servername: string, ca: string) => {
    const options = { host: '127.0.0.1', port, servername, ca, minVersion: 'TLSv1.3' as const };
    const socket = connect(options);
    try {
      await once(socket, 'secureConnect');
      return socket.getProtocol();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    } finally {
      socket.destroy();
    }
  };
  const other = makeAuthority('large-payload CA two', lifetime(1_825)).certificate;
  try {
    for (const name of ['a-gateway.orders.svc', 'a-gateway.orders.svc.cluster.local', 'payloads.example.com'])
      expect(await handshake(name, other + authority.certificate)).toBe('TLSv1.3');
    expect(await handshake('a-gateway.returns.svc', authority.certificate)).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    expect(await handshake('a-gateway.orders.svc', other)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  } finally {
    listening.close();
  }
});

describe.skipIf(inPath('openssl') === undefined)('openssl', () => {
  const verify = async (leaf: string, ca: string, untrusted = '') => {
    const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
    try {
      for (const [file, text] of Object.entries({ leaf, ca, untrusted }))
        writeFileSync(join(folder, file), text);
      const chain = untrusted === '' ? [] : ['-untrusted', join(folder, 'untrusted')];
      const args = [
        'verify',
        '-x509_strict',
        '-purpose',
        'sslserver',
        '-CAfile',
        join(folder, 'ca'),
        ...chain,
      ];
      return await runCommand('openssl', [...args, join(folder, 'leaf')]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('accepts a certificate by its strict rules', async () => {
    expect(await verify(server.certificate, authority.certificate)).toContain('leaf: OK');
  });

  test('refuses what a certificate of servers has signed, as it is no authority', async () => {
    const rogue = makeServerCertificate(['a.example.com'], lifetime(1), server);
    await expect(verify(rogue.certificate, authority.certificate, server.certificate)).rejects.toThrow();
  });
});
