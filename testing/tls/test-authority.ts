import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { der, integer, oid, text, time } from './der.ts';

const DAY = 24 * 60 * 60 * 1_000;
const ECDSA_WITH_SHA256 = der('sequence', oid('1.2.840.10045.4.3.2'));
const IS_CRITICAL = der('boolean', Buffer.from([0xff]));

/** Texts in PEM, as the keys `tls.crt` and `tls.key` of a Secret have them. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Lifetime {
  /** ms since 1970; by default a day ago */
  readonly notBefore?: number;
  /** ms since 1970; by default in 30 days */
  readonly notAfter?: number;
}

/** A certificate authority of tests, made without a program. */
export interface TestAuthority {
  /** in PEM: what clients trust */
  readonly certificate: string;
  /** @param names DNS names and IP addresses; by default those of this machine */
  issue(names?: readonly string[], lifetime?: Lifetime): TestCertificate;
}

interface Identity {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const THIS_MACHINE = ['localhost', '127.0.0.1', '::1'];

/** @param name distinguishes authorities, whose names in certificates must differ */
export function testAuthority(name = 'test authority', lifetime: Lifetime = {}): TestAuthority {
  const authority = newIdentity(name);
  // RFC 5280, 4.2.1.9 and 4.2.1.3: an authority, whose key signs certificates.
  const isAuthority = extension('2.5.29.19', der('sequence', IS_CRITICAL), true);
  const mayOnlySign = extension('2.5.29.15', der('bit string', Buffer.from([2, 0x04])), true);
  return {
    certificate: signed(authority, authority, lifetime, [isAuthority, mayOnlySign]),
    issue(names = THIS_MACHINE, leafLifetime = {}) {
      const leaf = newIdentity('test server');
      const certificate = signed(leaf, authority, leafLifetime, [
        extension('2.5.29.17', der('sequence', ...names.map(alternativeName))),
        extension('2.5.29.37', der('sequence', oid('1.3.6.1.5.5.7.3.1'))),
      ]);
      return { certificate, key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
    },
  };
}

function newIdentity(name: string): Identity {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

/** A certificate in PEM (RFC 5280, 4.1). */
function signed(
  subject: Identity,
  issuer: Identity,
  { notBefore = Date.now() - DAY, notAfter = Date.now() + 30 * DAY }: Lifetime,
  extensions: readonly Buffer[],
): string {
  const content = der(
    'sequence',
    der('context 0', integer(Buffer.from([2]))),
    serialNumber(),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer.name),
    der('sequence', time(notBefore), time(notAfter)),
    distinguishedName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    der('context 3', der('sequence', ...extensions)),
  );
  const signature = sign('sha256', content, issuer.privateKey);
  const certificate = der(
    'sequence',
    content,
    ECDSA_WITH_SHA256,
    der('bit string', Buffer.from([0]), signature),
  );
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** A positive number whose first byte is not zero, as DER has it. */
function serialNumber(): Buffer {
  return integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)]));
}

function distinguishedName(commonName: string): Buffer {
  return der('sequence', der('set', der('sequence', oid('2.5.4.3'), text(commonName))));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return der('sequence', oid(id), ...(isCritical ? [IS_CRITICAL] : []), der('octet string', value));
}

function alternativeName(name: string): Buffer {
  if (isIP(name) === 0) return der('context 2 primitive', Buffer.from(name));
  return der('context 7 primitive', addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((each) => Number.parseInt(each, 16));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [at, group] of [...before, ...zeros, ...after].entries()) bytes.writeUInt16BE(group, 2 * at);
  return bytes;
}
