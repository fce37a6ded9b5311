import { signingKey, signToken } from '@largepayload/testing/tokens/token-issuer';
import { afterEach, expect, test, vi } from 'vitest';
import { verifyToken } from './jose.ts';
import { CLUSTER, memoryIssuer, podClaims, verifierOf } from './verifier.fixture.ts';

vi.mock(import('./jose.ts'), { spy: true });
const verifications = vi.mocked(verifyToken);
const LONG = { timeout: 20_000 };
afterEach(() => {
  verifications.mockClear();
});

test('many requests with one token verify its signature once', async () => {
  const issuer = memoryIssuer();
  const verifier = verifierOf(issuer);
  const token = signToken(podClaims(), issuer.key());
  const first = await Promise.all(
    Array.from({ length: 100 }, async () => await verifier.verify(token, 'peer')),
  );
  for (const verified of first) expect(verified).toBe(first[0]);
  expect(verifier.verify(token, 'another peer')).toBe(first[0]);
  expect(verifications).toHaveBeenCalledTimes(1);
  expect(issuer.asked).toBe(1);
});

test('a token that was taken is refused from a minute after its end', async () => {
  const issuer = memoryIssuer();
  const start = Date.now() / 1_000;
  let now = start;
  const verifier = verifierOf(issuer, () => now);
  const token = signToken(podClaims(), issuer.key());
  await verifier.verify(token, 'peer');
  now = start + 650;
  expect(verifier.verify(token, 'peer')).not.toBeInstanceOf(Promise);
  now = start + 662;
  await expect(async () => await verifier.verify(token, 'peer')).rejects.toMatchObject({
    code: 'token_refused',
    message: expect.stringContaining('expired'),
  });
});

test('a token of a pod that was deleted is taken until it expires, as only keys are asked for', async () => {
  const issuer = memoryIssuer();
  const start = Date.now() / 1_000;
  const deleted = {
    namespace: 'orders',
    serviceaccount: { name: 'worker' },
    pod: { name: 'deleted', uid: 'of-none' },
  };
  const token = signToken(podClaims({ 'kubernetes.io': deleted }), issuer.key());
  expect(await verifierOf(issuer, () => start + 590).verify(token, 'peer')).toBeDefined();
  await expect(async () => await verifierOf(issuer, () => start + 662).verify(token, 'peer')).rejects.toThrow(
    'expired',
  );
  expect(issuer.asked).toBe(1);
});

test('a token that was taken is refused once its key is withdrawn', async () => {
  const issuer = memoryIssuer(CLUSTER, { freshMs: 0, pauseMs: 0 });
  const verifier = verifierOf(issuer);
  const token = signToken(podClaims(), issuer.key());
  await verifier.verify(token, 'peer');
  expect(await verifier.verify(token, 'peer')).toBeDefined();
  issuer.published.splice(0, 1, signingKey());
  await vi.waitFor(() => expect(verifier.verify(token, 'peer')).rejects.toThrow('none of the issuer'), LONG);
  expect(await verifier.verify(signToken(podClaims(), issuer.key()), 'peer')).toBeDefined();
});

test('another key under the same name does not vouch for tokens of the one before', async () => {
  const [before, after] = [signingKey(), signingKey()];
  const issuer = memoryIssuer(CLUSTER, { freshMs: 0, pauseMs: 0 }, [before]);
  const verifier = verifierOf(issuer);
  const token = signToken(podClaims(), before);
  await verifier.verify(token, 'peer');
  issuer.published.splice(0, 1, { ...after, id: before.id });
  await vi.waitFor(() => expect(verifier.verify(token, 'peer')).rejects.toThrow('signature is wrong'), LONG);
});

test('of large tokens, fewer are remembered, the latest ones', async () => {
  const issuer = memoryIssuer();
  const verifier = verifierOf(issuer);
  const [header, , signature] = signToken(podClaims(), issuer.key()).split('.');
  const tokens = Array.from({ length: 600 }, (_, at) => {
    const claims = JSON.stringify(podClaims({ jti: `${at}`, more: 'x'.repeat(11_000) }));
    return `${header}.${Buffer.from(claims).toString('base64url')}.${signature}`;
  });
  verifications.mockImplementation(async () => podClaims());
  for (const token of tokens) await verifier.verify(token, 'peer');
  verifications.mockClear();
  for (const token of tokens.slice(-500)) await verifier.verify(token, 'peer');
  expect(verifications).toHaveBeenCalledTimes(0);
  await verifier.verify(tokens[0] as string, 'peer');
  expect(verifications).toHaveBeenCalledTimes(1);
  verifications.mockRestore();
});

test('wrong signatures are verified two at a time, and no verified token waits for them', async () => {
  const issuer = memoryIssuer();
  const verifier = verifierOf(issuer);
  const known = signToken(podClaims(), issuer.key());
  await verifier.verify(known, 'peer');
  verifications.mockClear();
  let underWay = 0;
  let most = 0;
  const gate = Promise.withResolvers<never>();
  verifications.mockImplementation(() => {
    underWay += 1;
    most = Math.max(most, underWay);
    return gate.promise.finally(() => underWay--);
  });
  const forger = { ...signingKey(), id: issuer.key().id };
  const flood = Array.from({ length: 400 }, (_, at) =>
    (async () => await verifier.verify(signToken(podClaims({ jti: `${at}` }), forger), 'flooder'))(),
  );
  const outcomes = Promise.allSettled(flood);
  await vi.waitFor(() => expect(underWay).toBe(2), LONG);
  expect(verifier.verify(known, 'peer')).not.toBeInstanceOf(Promise);
  verifications.mockRestore();
  gate.reject(new Error('wrong'));
  const codes = (await outcomes).map((each) => (each as PromiseRejectedResult).reason.code);
  expect(most).toBe(2);
  // 256 wait; what comes beyond is answered at once.
  expect(codes.filter((code) => code === 'busy')).toHaveLength(400 - 256 - 2);
});
