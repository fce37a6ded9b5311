import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import type { CertificateAndKey } from './read-certificate.ts';

const ID_ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const ID_AT_COMMON_NAME = '2.5.4.3';

/** Times are ms since the epoch; X.509 keeps whole seconds. */
interface Lifetime {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * A certificate authority with a new key (ECDSA P-256): it signs itself, and may sign certificates of servers, and no further
 * authority (RFC 5280, 4.2.1.9).
 * @param commonName unique among our authorities, so that a chain is built from the right one
 */
export function makeAuthority(commonName: string, lifetime: Lifetime): CertificateAndKey {
  const key = newPrivateKey();
  const name = nameOf(commonName);
  const id = keyIdOf(key);
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    // Clients take the purposes of an authority as a limit for what it signs.
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(id)),
    // The same as the subject's, as the authority signs itself.
    extension(
      id_ce_authorityKeyIdentifier,
      new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(id) }),
    ),
  ];
  const certificate = signed({ subject: name, key, extensions, lifetime }, { name, key });
  return { certificate, key: privateKeyPem(key) };
}

/**
 * A certificate of servers with a new key (ECDSA P-256), signed by an authority.
 * @param names DNS names, at least one; a wildcard may stand for the first label
 */
export function makeServerCertificate(
  names: readonly string[],
  lifetime: Lifetime,
  authority: CertificateAndKey,
): CertificateAndKey {
  const key = newPrivateKey();
  const { name, keyId } = issuerOf(authority.certificate);
  const alternatives = new SubjectAlternativeName(names.map((dNSName) => new GeneralName({ dNSName })));
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdOf(key))),
    extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: keyId })),
    // Critical, as the subject is empty (RFC 5280, 4.2.1.6): a common name has at most 64 characters, and no client reads it.
    extension(id_ce_subjectAltName, alternatives, true),
  ];
  const issuer = { name, key: createPrivateKey(authority.key) };
  const certificate = signed({ subject: new Name(), key, extensions, lifetime }, issuer);
  return { certificate, key: privateKeyPem(key) };
}

interface Subject {
  readonly subject: Name;
  readonly key: KeyObject;
  readonly extensions: readonly Extension[];
  readonly lifetime: Lifetime;
}

/** @returns PEM */
function signed(
  { subject, key, extensions, lifetime }: Subject,
  issuer: { name: Name; key: KeyObject },
): string {
  const signature = new AlgorithmIdentifier({ algorithm: ID_ECDSA_WITH_SHA256 });
  const content = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature,
    issuer: issuer.name,
    validity: new Validity({
      notBefore: new Date(lifetime.notBefore),
      notAfter: new Date(lifetime.notAfter),
    }),
    subject,
    subjectPublicKeyInfo: AsnConvert.parse(publicKeyOf(key), SubjectPublicKeyInfo),
    extensions: new Extensions([...extensions]),
  });
  const signatureValue = sign('sha256', Buffer.from(AsnConvert.serialize(content)), issuer.key);
  const certificate = new Certificate({
    tbsCertificate: content,
    signatureAlgorithm: signature,
    signatureValue: bytesOf(signatureValue),
  });
  return pem(Buffer.from(AsnConvert.serialize(certificate)));
}

/** A new ECDSA key on the curve P-256, which every TLS client takes. */
function newPrivateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** PKCS #8 */
function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** 126 random bits: a positive integer of at most 20 bytes (RFC 5280, 4.1.2.2), which begins with no zero byte. */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytesOf(bytes);
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  return new Name([
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type: ID_AT_COMMON_NAME, value })]),
  ]);
}

function issuerOf(certificate: string): { name: Name; keyId: KeyIdentifier } {
  const der = Buffer.from(certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const { subject } = AsnConvert.parse(der, Certificate).tbsCertificate;
  return { name: subject, keyId: new KeyIdentifier(keyIdOf(createPublicKey(certificate))) };
}

function publicKeyOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** SHA-1 of the bits of the public key (RFC 5280, 4.2.1.2, method 1): a name, not a protection. */
function keyIdOf(key: KeyObject): ArrayBuffer {
  const { subjectPublicKey } = AsnConvert.parse(publicKeyOf(key), SubjectPublicKeyInfo);
  return bytesOf(createHash('sha1').update(Buffer.from(subjectPublicKey)).digest());
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function bytesOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
