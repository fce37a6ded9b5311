import { setTimeout as sleep } from 'node:timers/promises';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { killOperator, removeOperatorPod, untilLeader } from '../fixtures/operator.fixture.ts';
import {
  appliedFor,
  isConfiguration,
  type OwnedObject,
  ownedObjects,
} from '../fixtures/owned-objects.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

const KILLS = 5;
const STORES_A_KILL = 2;
/** longest time from the start of its leadership until it is killed, ms: it reads the cluster and begins to write */
const MID_RECONCILE = 600;

test('the operator completes its work after it is killed in the middle several times', {
  timeout: 420_000,
}, async () => {
  await using bed = await StoreBed.make('killed');
  const began = performance.now();
  const left: number[] = [];
  let stores: string[] = [];
  let leader = await untilLeader();
  for (let kill = 0; kill < KILLS; kill += 1) {
    stores = [...stores, ...Array.from({ length: STORES_A_KILL }, (_, index) => `store-${kill}-${index}`)];
    await applyAll(bed, stores, kill);
    await sleep(Math.random() * MID_RECONCILE);
    killOperator(leader);
    left.push((await unfinished(bed)).length);
    await removeOperatorPod(leader.name);
    leader = await untilLeader();
  }
  await eventualValue(async () => (await unfinished(bed)).length === 0 || undefined, 120_000);
  const seconds = (performance.now() - began) / 1_000;

  for (const store of stores) {
    const objects = await settledObjects(bed, store);
    const [configMap] = namesOf(objects, 'ConfigMap').filter(isConfiguration);
    const applied = objects.filter(({ kind }) => kind !== 'Pod' && kind !== 'ReplicaSet');
    expect(applied.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual(
      appliedFor(store, configMap ?? ''),
    );
    expect(namesOf(objects, 'Pod')).toHaveLength(1);
    for (const { metadata } of objects) expect(metadata.ownerReferences).toHaveLength(1);
  }
  show(
    `operator killed ${KILLS} times while ${stores.length} stores are made and edited`,
    `${left.join(', ')} stores were not done when it was killed; ${seconds.toFixed(0)} s in all: each Ready, ` +
      'with the last edit, one of each object',
  );
});

/** Makes the stores or edits them. Each edit makes another configuration. */
async function applyAll(bed: StoreBed, stores: readonly string[], edit: number): Promise<void> {
  const [s3, credentialsSecretRef] = [(prefix: string) => bed.s3Storage({ prefix }), { name: CREDENTIALS }];
  await bed.apply(
    ...stores.map((name) => ({
      apiVersion: 'largepayload.dev/v1alpha1',
      kind: 'LargePayloadStore',
      metadata: { name },
      spec: {
        storage: s3(`${name}/`),
        retention: { ttl: 'Forever' },
        maxPayloadSize: `${edit + 1}Mi`,
        gateway: { credentialsSecretRef, replicas: 1 },
      },
    })),
  );
}

interface Store {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Names of the stores whose present generation is not Ready. */
async function unfinished(bed: StoreBed): Promise<string[]> {
  const { items } = await bed.json<{ items: Store[] }>('get', 'lps');
  return items
    .filter(({ metadata, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
      return ready !== 'True' || status?.observedGeneration !== metadata.generation;
    })
    .map(({ metadata }) => metadata.name);
}

/** Waits until the old pods and their configurations have gone. */
async function settledObjects(bed: StoreBed, store: string): Promise<OwnedObject[]> {
  return await eventualValue(async () => {
    const objects = await ownedObjects(bed, store);
    const configurations = namesOf(objects, 'ConfigMap').filter(isConfiguration);
    return namesOf(objects, 'Pod').length === 1 && configurations.length === 1 ? objects : undefined;
  }, 90_000);
}

function namesOf(objects: readonly OwnedObject[], kind: string): string[] {
  return objects.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
}
