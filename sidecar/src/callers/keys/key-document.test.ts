import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { publicJwk, signingKey } from '@largepayload/testing/tokens/token-issuer';
import { expect, test } from 'vitest';
import { readKeys } from './key-document.ts';

const GOOD = publicJwk(signingKey());
const rsa = (modulusLength: number, publicExponent = 0x10001) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' });
const curve = (namedCurve: string) =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' });
const privateKey = () => signingKey().privateKey.export({ format: 'jwk' });
const modulus = (bytes: number) => Buffer.alloc(bytes, 0xab).toString('base64url');

test('a set has keys of RSA, of the curves of the standard, and of Ed25519', () => {
  const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const keys = [rsa(2_048), curve('P-256'), curve('P-384'), curve('P-521'), ed25519];
  const read = readKeys({ keys: keys.map((key, at) => ({ ...key, kid: `key-${at}` })) });
  expect([...read.keys.keys()]).toEqual(['key-0', 'key-1', 'key-2', 'key-3', 'key-4']);
  expect(read.leftOut).toEqual([]);
});

test.each<[what: string, key: unknown, fault: RegExp]>([
  [
    'a symmetric key',
    { kty: 'oct', k: 'c2VjcmV0', kid: 'k', alg: 'HS256' },
    /a secret, which must not be published/,
  ],
  ['a private key', { ...privateKey(), kid: 'k' }, /a secret, which must not be published \(it has "d"\)/],
  ['a short RSA key', { ...rsa(1_024), kid: 'k' }, /too weak: RSA with 1024 bits/],
  [
    'a huge RSA key',
    { kty: 'RSA', n: modulus(16 * 1024), e: 'AQAB', kid: 'k' },
    /too long: RSA with 131072 bits/,
  ],
  [
    'an RSA key whose signatures can be forged',
    { ...rsa(2_048), e: 'AQ', kid: 'k' },
    /an exponent that no RSA key has/,
  ],
  ['an RSA key with a huge exponent', { ...rsa(2_048), e: modulus(255), kid: 'k' }, /exponent|no public key/],
  ['a key of another curve', { ...curve('secp256k1'), kid: 'k' }, /of the curve secp256k1/],
  ['a point beside the curve', { ...GOOD, x: GOOD.y, kid: 'k' }, /no public key/],
  ['a key without a name', { ...GOOD, kid: undefined }, /no name \(kid\)/],
  ['a key with an empty name', { ...GOOD, kid: '' }, /no name \(kid\)/],
  ['a key with a number as name', { ...GOOD, kid: 5 }, /no name \(kid\)/],
  ['a key with a name of 1 KiB', { ...GOOD, kid: 'k'.repeat(1_024) }, /no name \(kid\)/],
  ['a key of a name that is there', GOOD, /the name of one before it/],
  ['a key with a number as algorithm', { ...GOOD, kid: 'k', alg: 256 }, /no text/],
  ['a key of an unknown type', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA', kid: 'k' }, /no public key/],
  ['a key whose parts are numbers', { kty: 'EC', crv: 'P-256', x: 1, y: 2, kid: 'k' }, /no public key/],
  [
    'a key for key agreement',
    { ...generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }), kid: 'k' },
    /of the type x25519/,
  ],
  ['a text', 'key', /is no object/],
  ['null', null, /is no object/],
  ['a list', [GOOD], /is no object/],
])('%s is left out of a set, with the reason, and the others are used', (_what, key, fault) => {
  const { keys, leftOut } = readKeys({ keys: [GOOD, key] });
  expect([...keys.keys()]).toEqual([GOOD.kid]);
  expect(leftOut).toEqual([expect.stringMatching(fault)]);
});

test('keys that are not for signatures are left out, and no reason is given', () => {
  const keys = [
    { ...rsa(2_048), kid: 'encryption', use: 'enc' },
    { ...rsa(2_048), kid: 'wrapping', key_ops: ['wrapKey'] },
    GOOD,
  ];
  expect(readKeys({ keys })).toMatchObject({ leftOut: [], keys: { size: 1 } });
});

test.each<[what: string, document: unknown, fault: RegExp]>([
  ['that is null', null, /no list "keys"/],
  ['without keys', {}, /no list "keys"/],
  ['with keys in a map', { keys: { a: GOOD } }, /no list "keys"/],
  ['with no key', { keys: [] }, /no key for signatures/],
  [
    'with a secret only',
    { keys: [{ kty: 'oct', k: 'AAAA', kid: 'k' }] },
    /no key for signatures: key 1 .* is a secret/,
  ],
  ['with 1,000 keys', { keys: Array.from({ length: 1_000 }, () => GOOD) }, /1000 keys; 64 are allowed/],
])('a set %s is refused', (_what, document, fault) => {
  expect(() => readKeys(document)).toThrow(fault);
});

test('of many keys that are left out, the first ones are named', () => {
  const bad: JsonWebKey[] = Array.from({ length: 60 }, () => ({ kty: 'oct' }));
  expect(readKeys({ keys: [GOOD, ...bad] }).leftOut).toHaveLength(8);
});
