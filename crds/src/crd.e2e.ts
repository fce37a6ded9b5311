import { type StoreApi, startStoreApi, storePath } from '@largepayload/testing/cluster/store-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeCases } from './cases/all.fixture.ts';
import { at } from './json-fields.ts';
import { problemsOf } from './manifest.fixture.ts';
import { inAllVersions } from './refusal.fixture.ts';

let api: StoreApi;

beforeAll(async () => {
  api = await startStoreApi();
});
afterAll(() => api?.stop());

/** The request of kubectl, as a dry run. */
async function answerTo(text: string) {
  const namespace = at(JSON.parse(text), 'metadata', 'namespace') ?? 'default';
  return await api.call('POST', `${storePath(`${namespace}`)}?dryRun=All&fieldValidation=Strict`, text);
}

test('the API server accepts the definition, its schema and its names', () => {
  expect(api.conditions).toEqual({ Established: 'True', NamesAccepted: 'True' });
});

/** `cases/cases.test.ts` gives the same manifests to our own validation. */
test.each(storeCases)('$name', async ({ text, answer: parts }) => {
  const answer = await answerTo(text);
  const refusal = answer.kind === 'Status' ? inAllVersions(`${answer.message}`) : undefined;
  expect(refusal === undefined, `${refusal}`).toBe(problemsOf(text).length === 0);
  expect(refusal === undefined, `${refusal}`).toBe(parts === undefined);
  for (const part of parts ?? []) expect(refusal).toContain(part);
  // A rule that cannot be evaluated, or is too costly.
  expect(refusal ?? '').not.toMatch(/evaluating rule|no such key|no such overload|budget/);
});

test('the API server applies the same defaults as our validation', async () => {
  const { text } = storeCases.find(({ name }) => name === 'spec.storage: accepts s3') ?? { text: '' };
  expect((await answerTo(text)).spec).toEqual({
    storage: { s3: { bucket: 'payloads', prefix: '', forcePathStyle: false } },
    retention: { ttl: '30d', reaperInterval: '1h' },
    thresholdSize: 128_000,
    maxPayloadSize: '1Gi',
    gateway: {},
  });
});
