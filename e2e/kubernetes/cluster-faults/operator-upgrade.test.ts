import { afterAll, expect, test } from 'vitest';
import { namesOf } from '../faults/pods.fixture.ts';
import { slowly } from '../faults/slowly.fixture.ts';
import { operatorPods, scaleOperator } from '../fixtures/operator.fixture.ts';
import { putPayload, withClient } from '../fixtures/payloads.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { GatewayClient } from '../sidecar/gateway-client.fixture.ts';
import { checkThroughSidecar } from '../sidecar/sidecar-pod.fixture.ts';

afterAll(async () => {
  if ((await operatorPods()).length === 0) await scaleOperator(1);
});

/** The steps of docs/upgrading.md. */
test('a store of version 0.1 admits its clients after the upgrade, until its owner asks for tokens', {
  timeout: 300_000,
}, async () => {
  await using bed = await StoreBed.make('upgraded');
  await scaleOperator(0);
  const credentialsSecretRef = { name: CREDENTIALS };
  await bed.applyStore('orders', {
    gateway: { authentication: undefined, credentialsSecretRef, replicas: 1 },
  });
  await writeStatusOfBefore(bed);
  await scaleOperator(1);
  await bed.until('orders', 'Ready', { status: 'True', reason: 'Ready' });
  expect(await authentication(bed)).toBe('Migrate');

  const url = await bed.servedUrl('orders');
  const stored = await withClient(url, (client) => putPayload(client, 200_000));
  const client = await GatewayClient.of(bed, 'orders');
  // docs/upgrading.md has its reader wait until there are no more of these.
  const anonymous = /caller_namespace="anonymous"/;
  const metrics = await client.metrics();
  expect(metrics.sum('payload_store_caller_requests_total', anonymous)).toBeGreaterThan(0);
  expect(await checkThroughSidecar({ name: 'moved', bed, store: 'orders' })).toContain('digest verified');
  const token = await client.token();
  expect(await client.put(`${token}x`)).toMatchObject({ status: 503, code: 'token_refused' });

  expect(await bed.kubectl('get', 'lps', '--output=wide')).toMatch(/^orders .* Migrate /m);
  await setAuthentication(bed, 'Migrate');
  await withClient(await bed.servedUrl('orders'), (old) => old.get(stored));
  await setAuthentication(bed, 'Token');
  // The gateway of before serves some seconds longer.
  await slowly(async () => ((await namesOf(bed, 'orders', 'pods')).length === 1 ? true : undefined));
  const refused = await client.putPlainly();
  expect(refused).toMatchObject({
    status: 503,
    code: 'tls_required',
    message: expect.stringContaining(` https://orders-gateway.${bed.namespace}.svc:8577,`),
  });
  const get = await withClient(url, (old) => old.get(stored)).catch((error: Error) => error);
  // It has the address of the Service in its URL, which is not in the certificate.
  expect(get).toMatchObject({
    name: 'PayloadStoreUnavailableError',
    code: 'tls_required',
    message: expect.stringContaining(`*.${bed.namespace}.svc`),
  });
  expect(await client.put()).toMatchObject({ status: 503, code: 'token_missing' });
  expect(await client.put(token)).toMatchObject({ status: 201 });
  expect(await checkThroughSidecar({ name: 'again', bed, store: 'orders' })).toContain('digest verified');
  show(
    'a store of 0.1',
    `Migrate after the upgrade: plain HTTP and a sidecar both served; Token: plain HTTP is answered ${refused.message}`,
  );
});

/** As an operator of version 0.1 has left it: conditions, and no word of authentication. */
async function writeStatusOfBefore(bed: StoreBed): Promise<void> {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const common = { status: 'True', observedGeneration: 1, lastTransitionTime };
  const conditions = [
    { ...common, type: 'Ready', reason: 'Ready', message: 'payloads are stored and served' },
    {
      ...common,
      type: 'GatewayAvailable',
      reason: 'PodsAvailable',
      message: '1 of 1 gateway pods are available',
    },
  ];
  const patch = JSON.stringify({ status: { observedGeneration: 1, conditions } });
  await bed.kubectl('patch', 'lps', 'orders', '--subresource=status', '--type=merge', `--patch=${patch}`);
}

async function setAuthentication(bed: StoreBed, authentication: string): Promise<void> {
  const patch = `--patch=${JSON.stringify({ spec: { gateway: { authentication } } })}`;
  await bed.kubectl('patch', 'lps', 'orders', '--type=merge', patch);
  await bed.untilReady('orders');
}

async function authentication(bed: StoreBed): Promise<string> {
  return await slowly(async () => {
    const path = '--output=jsonpath={.status.authentication}';
    return (await bed.kubectl('get', 'lps', 'orders', path)) || undefined;
  });
}
