import { createHmac } from 'node:crypto';
import { publicJwk, signingKey, signToken } from '@largepayload/testing/tokens/token-issuer';
import { expect, test } from 'vitest';
import type { ServiceError } from '../../errors/service-error.ts';
import { AUDIENCE, CLUSTER, memoryIssuer, podClaims, verifierOf } from './verifier.fixture.ts';

const KEY = signingKey();
const FOREIGN = signingKey();
const RSA = signingKey('RS256');
const issuer = memoryIssuer(CLUSTER, {}, [RSA, KEY]);
const verifier = verifierOf(issuer);

const now = () => Math.floor(Date.now() / 1_000);
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
const signed = (claims: Record<string, unknown>) => signToken(podClaims(claims), KEY);
const withHeader = (header: Record<string, unknown>, key = KEY) => signToken(podClaims(), key, header);

/** Signed with what is public: the key in PEM, as a careless service would use it for HS256. */
function signedWithPublicKey(): string {
  const content = `${encode({ alg: 'HS256', kid: RSA.id })}.${encode(podClaims())}`;
  const secret = RSA.publicKey.export({ type: 'spki', format: 'pem' });
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

/** A token whose claims and header are these texts. */
function written(claims: string, header = JSON.stringify({ alg: 'ES256', kid: KEY.id })): string {
  return [header, claims, 'abc'].map((part) => Buffer.from(part).toString('base64url')).join('.');
}

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

function unsigned(alg: string): string {
  return `${encode({ alg, kid: KEY.id })}.${encode(podClaims())}.`;
}

function changed(token: string, claims: Record<string, unknown>): string {
  const [header, , signature] = token.split('.');
  return `${header}.${encode(claims)}.${signature}`;
}

async function refusalOf(token: string): Promise<ServiceError> {
  try {
    await verifier.verify(token, 'peer');
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('the token was taken');
}

test.each<[what: string, token: () => string, fault: RegExp]>([
  [
    'of another audience',
    () => signed({ aud: 'largepayload.dev/payments/invoices' }),
    /audience \(aud\) is "largepayload.dev\/payments\/invoices"/,
  ],
  ['for the API server', () => signed({ aud: [CLUSTER] }), /audience \(aud\) is \["https:/],
  ['without an audience', () => signed({ aud: undefined }), /\(aud\) is missing/],
  ['with an audience in a map', () => signed({ aud: { [AUDIENCE]: true } }), /\(aud\) is \{/],
  ['with an audience in a list in a list', () => signed({ aud: [[AUDIENCE]] }), /\(aud\)/],
  [
    'of another issuer',
    () => signed({ iss: 'https://elsewhere.example' }),
    /issuer \(iss\) is "https:\/\/elsewhere/,
  ],
  ['of the issuer with a slash more', () => signed({ iss: `${CLUSTER}/` }), /issuer \(iss\) is/],
  ['without an issuer', () => signed({ iss: undefined }), /issuer \(iss\) is missing/],
  ['with an issuer in a list', () => signed({ iss: [CLUSTER] }), /issuer \(iss\) is \[/],
  ['that has expired', () => signed({ exp: now() - 61 }), /expired at .* \(exp\); the clock here shows/],
  ['that never expires', () => signed({ exp: undefined }), /when it expires \(exp\)/],
  ['that expires at a text', () => signed({ exp: '2030-01-01' }), /when it expires \(exp\)/],
  ['that expires after all years', () => signed({ exp: 1e300 }), /when it expires \(exp\)/],
  ['that is not valid yet', () => signed({ nbf: now() + 70 }), /valid from .* on \(nbf\)/],
  ['that is valid from a text on', () => signed({ nbf: 'now' }), /claim nbf is no time/],
  ['without a signature (alg none)', () => unsigned('none'), /algorithm \(alg\) is "none"/],
  ['without a signature (alg NONE)', () => unsigned('NONE'), /algorithm \(alg\) is "NONE"/],
  ['without a signature, as ES256', () => unsigned('ES256'), /signature is wrong/],
  ['with HS256 by the public key', signedWithPublicKey, /algorithm \(alg\) is "HS256"/],
  ['with an algorithm in a list', () => withHeader({ alg: ['ES256'] }), /algorithm \(alg\)/],
  ['with another algorithm than its key', () => withHeader({ alg: 'ES384' }), /its key is for ES256/],
  ['with an algorithm of another type of key', () => withHeader({ alg: 'RS256' }), /its key is for ES256/],
  ['of an unknown key', () => signToken(podClaims(), FOREIGN), /key \(kid .*\) is none of the issuer/],
  [
    'of another key under a known name',
    () => signToken(podClaims(), FOREIGN, { kid: KEY.id }),
    /signature is wrong/,
  ],
  ['without a name of its key', () => withHeader({ kid: undefined }), /does not name its key \(kid\)/],
  ['with a path as the name of its key', () => withHeader({ kid: '../../../dev/null' }), /\(kid/],
  ['with a property of objects as the name of its key', () => withHeader({ kid: '__proto__' }), /\(kid/],
  ['with a number as the name of its key', () => withHeader({ kid: 1 }), /\(kid\)/],
  [
    'with its key in the header',
    () => withHeader({ jwk: publicJwk(FOREIGN), kid: FOREIGN.id }, FOREIGN),
    /none of the issuer/,
  ],
  [
    'with its key in the header, under a known name',
    () => withHeader({ jwk: publicJwk(FOREIGN), kid: KEY.id }, FOREIGN),
    /signature is wrong/,
  ],
  ['that asks for extensions', () => withHeader({ crit: ['exp'], exp: 1 }), /extensions \(crit\)/],
  ['that asks for no extension', () => withHeader({ crit: [] }), /extensions \(crit\)/],
  ['with an unencoded payload', () => withHeader({ b64: false, crit: ['b64'] }), /extensions \(crit\)/],
  ['whose claims were changed', () => changed(signed({}), podClaims({ sub: 'admin' })), /signature is wrong/],
  [
    'that is encrypted',
    () => `${encode({ alg: 'dir', enc: 'A256GCM' })}..${'a.'.repeat(2)}a`,
    /encrypted \(JWE\)/,
  ],
  ['of two parts', () => 'abc.def', /no JSON Web Token/],
  ['of four parts', () => `${signed({})}.abc`, /no JSON Web Token/],
  ['with other characters', () => `${signed({})}+`, /no JSON Web Token/],
  ['with a header that is no JSON', () => 'abc.def.ghi', /header cannot be read/],
  ['with a list as header', () => `${encode([])}.${encode({})}.abc`, /header cannot be read/],
  [
    'with null as claims',
    () => `${encode({ alg: 'ES256', kid: KEY.id })}.${encode(null)}.abc`,
    /claims cannot be read/,
  ],
  ['with lists in lists as audience', () => written(`{"aud":${deep(5_000)}}`), /claims cannot be read/],
  ['with lists in lists as issuer', () => written(`{"iss":${deep(5_000)}}`), /claims cannot be read/],
  [
    'with lists in lists as algorithm',
    () => written('{}', `{"alg":${deep(5_000)}}`),
    /header cannot be read/,
  ],
  ['with thousands of claims', () => written(`{"a":[${'0,'.repeat(2_000)}0]}`), /claims cannot be read/],
  ['with a text as claims', () => signToken('claims', KEY), /claims cannot be read/],
  ['of 17 KiB', () => signed({ more: 'x'.repeat(13 * 1024) }), /more than 16 KiB/],
])('a token %s is refused, and the reason does not quote it', async (_what, token, fault) => {
  const text = token();
  const { code, message, cause } = await refusalOf(text);
  expect({ code, message, cause }).toEqual({
    code: 'token_refused',
    message: expect.stringMatching(fault),
    cause: undefined,
  });
  for (const part of text.split('.').filter(({ length }) => length > 8)) expect(message).not.toContain(part);
});

test('an address of keys in a header is not asked', async () => {
  const asked: string[] = [];
  const { httpServer } = await import('@largepayload/testing/servers/test-server');
  await using server = await httpServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify({ keys: [publicJwk(FOREIGN)] }));
  });
  for (const field of ['jku', 'x5u', 'iss']) {
    const { code } = await refusalOf(withHeader({ [field]: server.url, kid: FOREIGN.id }, FOREIGN));
    expect(code).toBe('token_refused');
  }
  expect(asked).toEqual([]);
});

test('clocks may differ by a minute', async () => {
  for (const claims of [{ exp: now() - 55 }, { nbf: now() + 55 }])
    expect((await verifier.verify(signed(claims), 'peer')).claims).toMatchObject(claims);
});

test('a gateway whose clock is off by an hour says what its clock shows', async () => {
  for (const [hours, fault] of [
    [1, /expired at .*; the clock here shows/],
    [-1, /valid from .*; the clock here shows/],
  ] as const) {
    const wrong = verifierOf(issuer, () => now() + hours * 3_600);
    await expect(async () => await wrong.verify(signed({}), 'peer')).rejects.toMatchObject({
      code: 'token_refused',
      message: expect.stringMatching(fault),
    });
  }
});

test.each(['RS256', 'ES256'] as const)(
  'a token signed by %s is taken, with the audience as a text or in a list',
  async (algorithm) => {
    const key = algorithm === 'RS256' ? RSA : KEY;
    for (const aud of [AUDIENCE, ['another', AUDIENCE]]) {
      const { claims } = await verifier.verify(signToken(podClaims({ aud }), key), 'peer');
      expect(claims).toMatchObject({ aud, sub: 'system:serviceaccount:payments:worker' });
    }
  },
);
