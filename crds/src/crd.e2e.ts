import { type StoreApi, startStoreApi, storePath } from '@largepayload/testing/cluster/store-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeCases } from './cases/all.fixture.ts';
import { problemsOf } from './manifest.fixture.ts';
import { at } from './schema/node.ts';

let api: StoreApi;

beforeAll(async () => {
  api = await startStoreApi();
});
afterAll(() => api?.stop());

/** Asked as kubectl asks, except that nothing is kept. */
async function answerTo(text: string) {
  const namespace = at(JSON.parse(text), 'metadata', 'namespace') ?? 'default';
  return await api.call('POST', `${storePath(`${namespace}`)}?dryRun=All&fieldValidation=Strict`, text);
}

test('the definition is established, and nothing is against its schema or its names', () => {
  expect(api.conditions).toEqual({ Established: 'True', NamesAccepted: 'True' });
});

/** What our own validation makes of the same manifests: `cases/cases.test.ts`. */
test.each(storeCases)('$name', async ({ text, answer: parts }) => {
  const answer = await answerTo(text);
  const refusal = answer.kind === 'Status' ? `${answer.message}` : undefined;
  expect(refusal === undefined, `${refusal}`).toBe(problemsOf(text).length === 0);
  expect(refusal === undefined, `${refusal}`).toBe(parts === undefined);
  for (const part of parts ?? []) expect(refusal).toContain(part);
  // A rule that cannot be evaluated, and one too costly to.
  expect(refusal ?? '').not.toMatch(/evaluating rule|no such key|no such overload|budget/);
});

test('every default is applied as we apply it', async () => {
  const { text } = storeCases.find(({ name }) => name === 'spec.storage: accepts s3') ?? { text: '' };
  expect((await answerTo(text)).spec).toEqual({
    storage: { s3: { bucket: 'payloads', prefix: '', forcePathStyle: false } },
    retention: { ttl: '30d', reaperInterval: '1h' },
    thresholdSize: 128_000,
    maxPayloadSize: '1Gi',
    gateway: {},
  });
});
