import { expect, test } from 'vitest';
import { readStore } from './read-store.ts';
import { ON_S3, storeObject } from './stores.fixture.ts';

test('a resource is read with its defaults', () => {
  const { spec, problems, ...identity } = readStore(storeObject({ ...ON_S3, gateway: undefined }));
  expect(problems).toEqual([]);
  expect(spec).toMatchObject({ thresholdSize: 128_000, gateway: {}, storage: { s3: { prefix: '' } } });
  expect(identity).toMatchObject({ namespace: 'payments', name: 'orders', generation: 3, deleting: false });
});

test('fields of a newer CRD are left out, and the resource is not changed', () => {
  const storage = { s3: { ...ON_S3.storage.s3, express: true } };
  const resource = storeObject({ ...ON_S3, storage, archive: { after: '30d' } });
  const { spec, problems } = readStore(resource);
  expect(problems).toEqual([]);
  expect(spec?.storage).toEqual(ON_S3.storage);
  expect(resource.spec).toMatchObject({ storage, archive: {} });
});

test.each([
  ['no spec', undefined],
  ['null', null],
  ['a list', []],
  ['no storage', { retention: { ttl: '1d' } }],
  ['two backends', { ...ON_S3, storage: { ...ON_S3.storage, filesystem: { claimName: 'x' } } }],
  ['a duration that is none', { ...ON_S3, retention: { ttl: '1 day' } }],
])('a resource with %s has problems and no spec', (_what, spec) => {
  const read = readStore({ ...storeObject({}), spec });
  expect(read.spec).toBeUndefined();
  expect(read.problems.length).toBeGreaterThan(0);
});
