import { expect, test } from 'vitest';
import { certificateFirst } from './certificate-first.ts';
import { desiredFor, namesOf, ON_S3, store } from './stores.fixture.ts';

const desired = desiredFor();
const namesWhen = (facts: { isPending: boolean; hasGateway: boolean }, status: unknown = {}) =>
  namesOf(certificateFirst(store(ON_S3, {}, status), desired, facts));
const GATEWAY = 'Deployment orders-gateway';

test('the first gateways of a store wait for the first certificate of their namespace, and nothing else does', () => {
  const names = namesWhen({ isPending: true, hasGateway: false });
  expect(names).not.toContain(GATEWAY);
  expect([...names, GATEWAY].toSorted()).toEqual(namesOf(desired).toSorted());
});

test.each<[string, { isPending: boolean; hasGateway: boolean }, object]>([
  ['there is a certificate, or none can be made', { isPending: false, hasGateway: false }, {}],
  ['there are gateways already', { isPending: true, hasGateway: true }, {}],
  ['callers need no token', { isPending: true, hasGateway: false }, { authentication: 'Migrate' }],
])('gateways wait for no certificate when %s', (_when, facts, status) => {
  expect(namesWhen(facts, status)).toEqual(namesOf(desired));
});
