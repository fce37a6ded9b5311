import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { untilNamespacesAreGone } from '../fixtures/ending-namespaces.fixture.ts';
import { operatorMetrics, untilLeader } from '../fixtures/operator.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

const STORES = 10;
const IDLE_SECONDS = 60;
const REQUESTS = 'large_payload_operator_api_requests_total';

let bed: StoreBed;
beforeAll(async () => {
  bed = await StoreBed.make('costs');
});
afterAll(async () => await bed[Symbol.asyncDispose]());

test('stores become Ready soon after they are applied', { timeout: 600_000 }, async () => {
  const took: number[] = [];
  for (let index = 0; index < STORES; index += 1) {
    const name = `store-${index}`;
    const began = performance.now();
    await bed.applyStore(name, {
      storage: bed.s3Storage({ prefix: `${name}/` }),
      retention: { ttl: '30d' },
      reaper: { credentialsSecretRef: { name: CREDENTIALS } },
    });
    await bed.kubectl('wait', `lps/${name}`, '--for=condition=Ready', '--timeout=120s');
    took.push((performance.now() - began) / 1_000);
  }
  took.sort((one, other) => one - other);
  const at = (share: number) => (took[Math.ceil(share * STORES) - 1] ?? 0).toFixed(1);
  show(
    `apply to Ready, ${STORES} stores one after another`,
    `p50 ${at(0.5)} s (goal 6 s), p95 ${at(0.95)} s, two gateways and a reaper each`,
  );
});

test('an idle operator makes at most one request a second', { timeout: 300_000 }, async () => {
  await untilNamespacesAreGone();
  const operator = await untilLeader();
  const before = await operatorMetrics(operator);
  await sleep(IDLE_SECONDS * 1_000);
  const after = await operatorMetrics(operator);
  const perSecond = (name: string) => (after.sum(name) - before.sum(name)) / IDLE_SECONDS;
  const ready = after.sum('large_payload_operator_stores', /ready="true"/);
  expect(ready).toBeGreaterThanOrEqual(5);
  expect(perSecond(REQUESTS)).toBeLessThanOrEqual(1);
  const mebibytes = after.sum('process_resident_memory_bytes') / 2 ** 20;
  const millicores = perSecond('process_cpu_seconds_total') * 1_000;
  show(
    `operator idle for ${IDLE_SECONDS} s, ${ready} Ready stores`,
    `${perSecond(REQUESTS).toFixed(2)} requests/s (goal 1), ${millicores.toFixed(0)} millicores, ` +
      `${mebibytes.toFixed(0)} MiB`,
  );
});
