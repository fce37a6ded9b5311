import { expect, test } from 'vitest';
import { planBundle } from './plan-bundle.ts';

const BUNDLE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const ENCODED = Buffer.from(BUNDLE).toString('base64');
const configuration = (...webhooks: readonly unknown[]) => ({
  ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' },
  metadata: { name: 'payloads', resourceVersion: '7', labels: { a: 'b' }, uid: 'x' },
  webhooks,
});
const entry = (name: string, clientConfig?: unknown) => ({ name, clientConfig, failurePolicy: 'Fail' });

test('entries without the bundle, or with another, get it, and nothing else is written', () => {
  const other = Buffer.from('another').toString('base64');
  const service = { name: 'payloads', namespace: 'operators' };
  const found = configuration(
    entry('a', { service }),
    entry('b', { service, caBundle: other }),
    entry('c', { service, caBundle: ENCODED }),
    entry('d'),
  );
  expect(planBundle(found, BUNDLE)).toEqual({
    ...{ apiVersion: found.apiVersion, kind: found.kind },
    metadata: { name: 'payloads', resourceVersion: '7' },
    webhooks: ['a', 'b', 'd'].map((name) => ({ name, clientConfig: { caBundle: ENCODED } })),
  });
});

test('nothing is written where all entries have the bundle, or there are none', () => {
  expect(planBundle(configuration(entry('a', { caBundle: ENCODED })), BUNDLE)).toBeUndefined();
  expect(planBundle(configuration(), BUNDLE)).toBeUndefined();
});
