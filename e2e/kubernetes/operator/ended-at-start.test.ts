import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { test } from 'vitest';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

const PODS = 6;
/** s: a gateway that serves needs 5 s, and the time of its transfers */
const LIMIT = 60;

/** SIGTERM arrives when the program has started and does not handle signals yet. */
test('pods that are deleted while they start end at once', async () => {
  await using bed = await StoreBed.make('at-start');
  const gateway = { credentialsSecretRef: { name: CREDENTIALS }, replicas: PODS };
  await bed.applyStore('main', { gateway });
  const deleted = new Set<string>();
  const began = performance.now();
  await eventualValue(async () => {
    const started = (await pods(bed)).filter(({ name, running }) => running && !deleted.has(name));
    const names = started.map(({ name }) => name).slice(0, PODS - deleted.size);
    for (const name of names) deleted.add(name);
    if (names.length > 0) await bed.kubectl('delete', 'pod', '--wait=false', ...names);
    return deleted.size === PODS || undefined;
  }, 120_000);
  await eventualValue(async () => {
    const left = (await pods(bed)).filter(({ name }) => deleted.has(name));
    return left.length === 0 || undefined;
  }, LIMIT * 1_000);
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  await bed.untilReady('main');
  show('pods deleted the moment that they start', `${PODS} have ended after ${seconds} s; Ready again`);
});

async function pods(bed: StoreBed): Promise<{ name: string; running: boolean }[]> {
  const { items } = await bed.json<{ items: Pod[] }>('get', 'pods');
  return items.map(({ metadata, status }) => ({
    name: metadata.name,
    running: status.containerStatuses?.[0]?.state.running !== undefined,
  }));
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly containerStatuses?: readonly { readonly state: { readonly running?: object } }[];
  };
}
