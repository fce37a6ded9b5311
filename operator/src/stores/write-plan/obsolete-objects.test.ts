import { expect, test } from 'vitest';
import { CONFIG_MAPS } from '../../kubernetes/resources.ts';
import type { ObservedDeployment, ObservedObject } from '../observed.ts';
import { appliedObjects, but, deploymentOf, edited, podOf, wellStore } from '../situation.fixture.ts';
import { desiredFor, namesOf, ON_S3, store } from '../stores.fixture.ts';
import { obsoleteObjects } from './obsolete-objects.ts';

const FOREVER = { storage: ON_S3.storage, retention: { ttl: 'Forever' }, gateway: ON_S3.gateway };
const before = desiredFor();
const config = (objects: readonly ObservedObject[]) =>
  objects.filter(({ resource }) => resource === CONFIG_MAPS);
const namesAmong = (objects: readonly ObservedObject[]) =>
  objects.map(({ resource, name }) => `${resource.kind} ${name}`).sort();
const obsoleteIn = ({ observed, desired }: ReturnType<typeof wellStore>) =>
  namesAmong(obsoleteObjects(observed, desired));

/** What the store had when it was `ON_S3` is still there. */
const withObjectsOfBefore = (situation: ReturnType<typeof wellStore>) => {
  const objects = [...situation.observed.objects];
  for (const old of appliedObjects(before)) {
    if (!objects.some(({ resource, name }) => resource === old.resource && name === old.name))
      objects.push(old);
  }
  return but(situation, { objects });
};

const forever = withObjectsOfBefore(wellStore(FOREVER));
const oldConfigs = namesOf(before).filter((name) => name.startsWith('ConfigMap'));
const [oldConfig] = oldConfigs;

test('nothing of a store that is well is obsolete', () => {
  expect(obsoleteIn(wellStore())).toEqual([]);
});

test('a store that comes to keep for ever loses its reaper', () => {
  expect(obsoleteIn(forever)).toEqual(
    [
      ...oldConfigs,
      'Deployment orders-reaper',
      'NetworkPolicy orders-reaper',
      'ServiceAccount orders-reaper',
    ].sort(),
  );
});

test('a store that asks to keep payloads in a way that this version does not know loses the reaper that would remove them', () => {
  const spec = {
    ...ON_S3,
    retention: { ttl: '30d', temporal: { address: 'temporal:7233' } },
    temporalNamespaces: ['orders'],
  };
  const asks = { ...wellStore().observed, store: store(spec) };
  expect(namesAmong(obsoleteObjects(asks, []))).toEqual(['Deployment orders-reaper']);
  expect(obsoleteObjects({ ...asks, store: store({ ...spec, thresholdSize: 'big' }) }, [])).toEqual([]);
});

test('while the reaper ends it keeps the objects that it was made with', () => {
  const reaper = deploymentOf(before, 'reaper');
  const ending = podOf(reaper, 'reaper', { name: 'orders-reaper-1', deleting: true });
  const stillThere = ['Deployment orders-reaper', 'NetworkPolicy orders-reaper'];
  expect(obsoleteIn(but(forever, { reaper }))).toEqual(stillThere);
  expect(obsoleteIn(but(forever, { pods: [...forever.observed.pods, ending] }))).toEqual(stillThere);
});

test.each<[string, Partial<ObservedDeployment>]>([
  ['has not been applied', { objectHash: 'another' }],
  ['has not been looked at', { generation: 2 }],
  ['has pods of an earlier template', { updated: 1, replicas: 3 }],
  ['has pods that are not available', { available: 1 }],
])('an old ConfigMap stays while the Deployment %s', (_how, deployment) => {
  const gateway = { ...(forever.observed.gateway as ObservedDeployment), ...deployment };
  expect(obsoleteIn(but(forever, { gateway }))).not.toContain(oldConfig);
});

test.each([
  ['runs', {}],
  ['is ending', { deleting: true }],
])('an old ConfigMap stays while a pod that was made with it %s', (_how, pod) => {
  const old = podOf(deploymentOf(before, 'gateway'), 'gateway', { name: 'orders-gateway-old', ...pod });
  expect(obsoleteIn(but(forever, { pods: [...forever.observed.pods, old] }))).not.toContain(oldConfig);
});

test('an old ConfigMap stays while an edit is rolled out', () => {
  expect(obsoleteIn(withObjectsOfBefore(edited({ ready: false })))).toEqual([]);
});

test('an evicted pod keeps nothing', () => {
  const evicted = podOf(undefined, 'gateway', {
    name: 'orders-gateway-evicted',
    phase: 'Failed',
    ready: false,
  });
  expect(obsoleteIn(but(forever, { pods: [...forever.observed.pods, evicted] }))).toContain(oldConfig);
});

test('an account that was made goes once the store names another', () => {
  const spec = { ...ON_S3, gateway: { serviceAccountName: 'writer' } };
  expect(obsoleteIn(withObjectsOfBefore(wellStore(spec)))).toEqual(['ServiceAccount orders-gateway']);
});

test('an account that was made stays when the store comes to name it', () => {
  const spec = { ...ON_S3, gateway: { serviceAccountName: 'orders-gateway' } };
  expect(obsoleteIn(withObjectsOfBefore(wellStore(spec)))).toEqual([]);
});

test.each([
  ['belongs to nobody', { controller: undefined }],
  ['belongs to another store', { controller: 'another uid' }],
  ['is going already', { deleting: true }],
])('what %s is left alone', (_what, change) => {
  const objects = forever.observed.objects.map((object) => ({ ...object, ...change }));
  expect(config(objects)).not.toEqual([]);
  expect(obsoleteIn(but(forever, { objects }))).toEqual([]);
});

test.each([
  ['is not valid', { ...ON_S3, thresholdSize: 'big' }, {}],
  ['asks for what is not built', { ...ON_S3, storage: { gcs: { bucket: 'payloads', prefix: '' } } }, {}],
  ['is being deleted', ON_S3, { deletionTimestamp: '2026-01-02T00:00:00Z' }],
])('a store that %s loses nothing', (_what, spec, metadata) => {
  const desired = desiredFor(spec, metadata);
  const { observed } = but(forever, { store: store(spec, metadata) });
  expect(obsoleteObjects(observed, desired)).toEqual([]);
});
