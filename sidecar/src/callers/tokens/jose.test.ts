import { createSecretKey } from 'node:crypto';
import { signingKey, signToken } from '@largepayload/testing/tokens/token-issuer';
import { expect, test } from 'vitest';
import { verifyToken } from './jose.ts';
import { AUDIENCE, CLUSTER, podClaims } from './verifier.fixture.ts';

const KEY = signingKey();
const EXPECTED = { issuer: CLUSTER, audience: AUDIENCE };
const verify = (claims: Record<string, unknown>, header = {}, key = KEY.publicKey) =>
  verifyToken(signToken(podClaims(claims), KEY, header), key, EXPECTED);
const now = Math.floor(Date.now() / 1_000);

test('the library itself looks at signature, issuer, audience and times', async () => {
  expect(await verify({})).toMatchObject({ iss: CLUSTER });
  await expect(verify({}, {}, signingKey().publicKey)).rejects.toThrow('its signature is wrong');
  await expect(verify({ iss: `${CLUSTER}/` })).rejects.toThrow('its claim iss is wrong');
  await expect(verify({ aud: 'another' })).rejects.toThrow('its claim aud is wrong');
  await expect(verify({ exp: undefined })).rejects.toThrow('its claim exp is wrong');
  await expect(verify({ exp: now - 61 })).rejects.toThrow('it has expired (exp)');
  await expect(verify({ nbf: now + 70 })).rejects.toThrow('its claim nbf is wrong');
});

test('the library itself takes no other algorithm, and none with another type of key', async () => {
  const secret = createSecretKey(Buffer.alloc(32, 1));
  for (const header of [{ alg: 'none' }, { alg: 'HS256' }, { alg: 'RS256' }, { crit: ['x'], x: 1 }])
    await expect(verify({}, header)).rejects.toThrow('it cannot be verified');
  await expect(verify({}, { alg: 'HS256' }, secret)).rejects.toThrow('it cannot be verified');
});
