import { setTimeout as sleep } from 'node:timers/promises';
import { STORE_LABEL } from '@largepayload/operator/stores/labels';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_FAULTS, ApiProxy } from '../fixtures/api-proxy.fixture.ts';
import { untilNamespacesAreGone } from '../fixtures/ending-namespaces.fixture.ts';
import { scaleOperator } from '../fixtures/operator.fixture.ts';
import { OperatorProcess } from '../fixtures/operator-process.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

const STORES = ['store-0', 'store-1', 'store-2', 'store-3', 'store-4'];
/** ms */
const SHORTEST_STORM = 60_000;
/** ms: an operator that has lost its leadership calls seldom, and the storm lasts until calls have met each kind of fault */
const LONGEST_STORM = 240_000;
/** share of calls that fail */
const SHARE = 0.4;
/** ms: a silent watch is noticed after 90 s, and a pause follows */
const RECOVERY = 150_000;

let proxy: ApiProxy;
let operator: OperatorProcess;
beforeAll(async () => {
  await scaleOperator(0);
  proxy = await ApiProxy.start(await suiteCluster());
  operator = await OperatorProcess.start(proxy.url);
});
afterAll(async () => {
  await operator?.stop();
  await proxy?.stop();
  await scaleOperator(1);
});

test('the operator reaches the desired state while the API server fails in every way', {
  timeout: 700_000,
}, async () => {
  await untilNamespacesAreGone();
  await using bed = await StoreBed.make('api-faults');
  for (const store of STORES) await apply(bed, store, 1);
  for (const store of STORES) await bed.untilReady(store, 90_000);

  const began = performance.now();
  const memory = peakMemory();
  const wanted = await editsDuringFaults(bed);
  const stormSeconds = ((performance.now() - began) / 1_000).toFixed(0);
  const perSecond = proxy.callsPerSecond(began);
  const faults = new Map(proxy.faults);
  proxy.heal();
  const healed = performance.now();
  await eventualValue(async () => (await isAsWanted(bed, wanted)) || undefined, RECOVERY);
  const recovery = ((performance.now() - healed) / 1_000).toFixed(0);
  for (const store of wanted.keys()) await bed.untilReady(store, RECOVERY);
  const allReady = ((performance.now() - healed) / 1_000).toFixed(0);

  const all = perSecond.reduce((sum, calls) => sum + calls, 0);
  const [mean, most] = [all / perSecond.length, Math.max(...perSecond)];
  const mebibytes = (await memory()) / 2 ** 20;
  const byKind = Object.keys(API_FAULTS).map((kind) => `${faults.get(kind as never) ?? 0} ${kind}`);
  console.info(byKind.join(', '));
  expect(mean).toBeLessThanOrEqual(10);
  // A new leader applies every object of every store once.
  expect(most).toBeLessThanOrEqual(300);
  expect(mebibytes).toBeLessThanOrEqual(200);
  expect([...faults.keys()].sort()).toEqual(Object.keys(API_FAULTS).sort());
  const count = [...faults.values()].reduce((sum, faultsOfKind) => sum + faultsOfKind, 0);
  show(
    `API server fails in ${Object.keys(API_FAULTS).length} ways for ${stormSeconds} s`,
    `${count} of ${all} calls (${mean.toFixed(1)}/s, ${most} in the busiest second); edits of ${wanted.size} stores, ` +
      `drift and a new store all done ${recovery} s after it, all Ready after ${allReady} s; operator ended ${operator.restarts} times, ` +
      `${mebibytes.toFixed(0)} MiB at most`,
  );
});

async function apply(bed: StoreBed, store: string, replicas: number): Promise<void> {
  const gateway = { credentialsSecretRef: { name: CREDENTIALS }, replicas };
  await bed.applyStore(store, { storage: bed.s3Storage({ prefix: `${store}/` }), gateway });
}

/** Edits stores one after the other, makes a store, and changes an object by hand. @returns the final replicas of each store */
async function editsDuringFaults(bed: StoreBed): Promise<ReadonlyMap<string, number>> {
  const wanted = new Map<string, number>();
  const began = performance.now();
  const isOver = () => {
    const past = performance.now() - began;
    return past >= LONGEST_STORM || (past >= SHORTEST_STORM && proxy.metAllKinds);
  };
  for (let round = 0; !isOver(); round += 1) {
    if (round % 4 === 0) proxy.inject(SHARE);
    const store = STORES[round % STORES.length] ?? '';
    const replicas = (wanted.get(store) ?? 1) === 1 ? 2 : 1;
    await apply(bed, store, replicas);
    wanted.set(store, replicas);
    if (round === 4) {
      await apply(bed, 'made-meanwhile', 1);
      wanted.set('made-meanwhile', 1);
    }
    if (round === 8) await bed.kubectl('delete', 'networkpolicy', `${STORES[0]}-gateway`);
    await sleep(3_000);
  }
  return wanted;
}

async function isAsWanted(bed: StoreBed, wanted: ReadonlyMap<string, number>): Promise<boolean> {
  const ofStores = ['deployments,networkpolicies', `--selector=${STORE_LABEL}`];
  const { items } = await bed.json<{ items: Item[] }>('get', ...ofStores);
  const [policies, deployments] = ['NetworkPolicy', 'Deployment'].map((kind) =>
    items.filter((item) => item.kind === kind),
  );
  const replicas = new Map(deployments?.map(({ metadata, spec }) => [metadata.name, spec.replicas]));
  return (
    policies?.length === wanted.size &&
    [...wanted].every(([store, count]) => replicas.get(`${store}-gateway`) === count)
  );
}

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly replicas?: number };
}

/** Measures the memory every second. @returns a function that ends this and returns the maximum, bytes */
function peakMemory(): () => Promise<number> {
  let [most, isOver] = [0, false];
  const watching = (async () => {
    while (!isOver) {
      const metrics = await operator.metrics().catch(() => undefined);
      most = Math.max(most, metrics?.sum('process_resident_memory_bytes') ?? 0);
      await sleep(1_000);
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return most;
  };
}
