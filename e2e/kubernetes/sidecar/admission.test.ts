import { expect, test } from 'vitest';
import { namesOf } from '../faults/pods.fixture.ts';
import { slowly } from '../faults/slowly.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { GatewayClient } from './gateway-client.fixture.ts';
import { checkThroughSidecar, checkWithoutSidecar } from './sidecar-pod.fixture.ts';

const label = (mode: string) => `pod-security.kubernetes.io/${mode}`;
const RESTRICTED = { [label('enforce')]: 'restricted', [label('warn')]: 'restricted' };
/** Of a client outside of the cluster. */
const NAME = 'payloads.example.com';
/** The default, which the beds of other tests replace. */
const gateway = {
  ...{ authentication: undefined, credentialsSecretRef: { name: CREDENTIALS }, replicas: 1 },
  ...{ dnsNames: [NAME], cacheSize: '16Mi' },
};

test('a new store admits pods of its namespace and of allowedNamespaces by their tokens, and no other caller', {
  timeout: 420_000,
}, async () => {
  await using bed = await StoreBed.make('tokens', RESTRICTED);
  await using foreign = await StoreBed.make('starters', RESTRICTED);
  await bed.applyStore('orders', { gateway });
  await bed.applyStore('other', { gateway, storage: bed.s3Storage({ prefix: 'other/' }) });
  await bed.untilReady('orders');
  expect(await bed.kubectl('get', 'lps', 'orders', '--output=jsonpath={.status.authentication}')).toBe(
    'Token',
  );

  expect(await checkThroughSidecar({ name: 'own', bed, store: 'orders' })).toContain('digest verified');
  const client = await GatewayClient.of(bed, 'orders');
  const token = await client.token();
  const stored = await client.put(token);
  expect(stored).toMatchObject({ status: 201 });
  const { key = '' } = stored;
  expect(await client.get(key, token)).toEqual({ status: 200 });
  expect(await client.calledBy(NAME).get(key, token)).toEqual({ status: 200 });
  expect((await client.metrics()).sum('payload_store_cache_hits_total')).toBeGreaterThan(0);
  await expectRefusals(client, key, {
    foreign: foreign.namespace,
    other: (await GatewayClient.of(bed, 'other')).audience,
  });

  await edit(bed, { allowedNamespaces: [foreign.namespace] });
  const starter = { name: 'starter', bed: foreign, store: 'orders', storeNamespace: bed.namespace };
  expect(await checkThroughSidecar(starter)).toContain('digest verified');
  expect(await checkWithoutSidecar({ ...starter, name: 'direct' })).toContain('digest verified');

  await bed.kubectl('create', 'serviceaccount', 'writer');
  const accounts = { reader: `${bed.namespace}/default`, writer: `${bed.namespace}/writer` };
  const callers = [
    { serviceAccounts: [accounts.reader], access: 'Read' },
    { serviceAccounts: [accounts.writer], temporalNamespaces: ['orders'] },
  ];
  await edit(bed, { allowedNamespaces: null, callers });
  const denied = await slowly(async () => {
    const answer = await client.put(token);
    return answer.status === 403 ? answer : undefined;
  });
  expect(denied).toMatchObject({
    code: 'caller_denied',
    message: expect.stringContaining('access: ReadWrite'),
  });
  expect(await client.get(key, token)).toEqual({ status: 200 });
  const writer = await client.token({ serviceAccount: 'writer' });
  expect([200, 201]).toContain((await client.put(writer)).status);
  expect(await client.put(writer, 'invoices')).toMatchObject({ status: 403, code: 'namespace_denied' });
  expect(await client.get(key, await client.token({ namespace: foreign.namespace }))).toMatchObject({
    ...{ status: 403, code: 'caller_denied' },
  });
  await slowly(async () => {
    const maps = await foreign.kubectl('get', 'configmaps', '--output=name');
    return maps.includes(`orders.${bed.namespace}-ca`) ? undefined : true;
  });
  show(
    'tokens of pods',
    'own namespace and an allowed one: stored and fetched through a sidecar, also where Pod Security is restricted; ' +
      'no token, wrong audience, foreign namespace, plain HTTP: refused; spec.callers by service account: 403 for a PUT with access Read, and for another Temporal namespace',
  );
});

async function expectRefusals(
  client: GatewayClient,
  key: string,
  { foreign, other }: { readonly foreign: string; readonly other: string },
): Promise<void> {
  const refusals = [
    [undefined, 503, 'token_missing', /token/],
    [await client.token({ audience: 'https://kubernetes.default.svc' }), 503, 'token_refused', /\(aud\)/],
    [await client.token({ audience: other }), 503, 'token_refused', /\(aud\)/],
    [`${await client.token()}x`, 503, 'token_refused', /signature/],
    [await client.token({ namespace: foreign }), 403, 'caller_denied', /spec\.allowedNamespaces/],
  ] as const;
  for (const [token, status, code, message] of refusals) {
    const refused = { status, code, message: expect.stringMatching(message) };
    expect(await client.put(token), code).toEqual(refused);
    expect(await client.get(key, token), code).toEqual(refused);
  }
  expect(await client.putPlainly(await client.token())).toMatchObject({ status: 503, code: 'tls_required' });
}

/** Edits the store, and waits until all of its pods have the edit. Those of before serve for some seconds longer. */
async function edit(bed: StoreBed, spec: object): Promise<void> {
  await bed.kubectl('patch', 'lps', 'orders', '--type=merge', `--patch=${JSON.stringify({ spec })}`);
  await bed.untilReady('orders');
  await slowly(async () => ((await namesOf(bed, 'orders', 'pods')).length === 1 ? true : undefined));
}
