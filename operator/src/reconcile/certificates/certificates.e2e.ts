import { createPrivateKey, X509Certificate } from 'node:crypto';
import { textAt } from '@largepayload/crds';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { AUTHORITY_SECRET, ROTATE } from '../../authority/authority-secret.ts';
import { fieldOf } from '../../authority/secret-data.ts';
import { makeAuthority, makeServerCertificate } from '../../authority/x509.ts';
import type { ApiError, KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../../kubernetes/api-server.fixture.ts';
import { LARGE_PAYLOAD_STORES, SECRETS } from '../../kubernetes/resources.ts';
import { TLS_SECRET } from '../../stores/names.ts';
import { ownSource, runCertificates } from './certificates.fixture.ts';
import { writeSecret } from './own-secret.ts';

const bed = apiBed();
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => await applyCrd(bed.api()));
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** An operator at work, with the namespace of its own that it is given. */
function operator(namespace: string, now = Date.now) {
  const own = ownSource(bed.api(), now, namespace);
  const running = runCertificates(bed.api(), own.source);
  stops.push(running.stop);
  return { ...own, ...running };
}

async function withStore(fields: object = {}): Promise<string> {
  const namespace = await bed.newNamespace();
  const object = store(namespace, 'orders');
  const gateway = { dnsNames: ['payloads.example.com'], ...fields };
  await bed
    .api()
    .create(LARGE_PAYLOAD_STORES, { ...object, spec: { ...(object.spec as object), gateway } }, NEVER);
  return namespace;
}

const secret = async (namespace: string, name: string) =>
  await bed.api().get({ resource: SECRETS, namespace, name }, NEVER);
const secretOnce = async (
  namespace: string,
  name: string,
  isWanted: (found: KubernetesObject) => boolean = () => true,
): Promise<KubernetesObject> =>
  await eventualValue(async () => {
    const found = await secret(namespace, name);
    return found !== undefined && isWanted(found) ? found : undefined;
  });

const serverOf = (object: KubernetesObject) => new X509Certificate(fieldOf(object, 'tls.crt') ?? '');
const authorityOf = (object: KubernetesObject) => new X509Certificate(fieldOf(object, 'ca.crt') ?? '');

test('a namespace with a store gets a certificate of the authority, which the operator makes first', async () => {
  const [operators, namespace] = [await bed.newNamespace(), await withStore()];
  const { certificates, metrics } = operator(operators);
  const made = await secretOnce(namespace, TLS_SECRET);
  const authority = authorityOf(await secretOnce(operators, AUTHORITY_SECRET));
  expect(made.type).toBe('kubernetes.io/tls');
  const server = serverOf(made);
  expect(server.subjectAltName).toBe(
    `DNS:*.${namespace}.svc, DNS:*.${namespace}.svc.cluster.local, DNS:payloads.example.com`,
  );
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(server.checkPrivateKey(createPrivateKey(fieldOf(made, 'tls.key') ?? ''))).toBe(true);
  expect(certificates.stateOf(namespace)).toEqual({
    ...{ bundle: authority.toString(), problem: undefined, isPending: false },
  });
  const expiry = server.validToDate.getTime() / 1_000;
  await eventualValue(async () => {
    const text = await metrics.registry.metrics();
    return (
      text.includes(`large_payload_operator_certificate_not_after_timestamp_seconds ${expiry}`) || undefined
    );
  });
});

test('a certificate follows the names of its stores, and goes with the last one', async () => {
  const [operators, namespace] = [await bed.newNamespace(), await withStore()];
  const { issued } = operator(operators);
  const before = await secretOnce(namespace, TLS_SECRET);
  const second = store(namespace, 'returns');
  const spec = { ...(second.spec as object), gateway: { dnsNames: ['*.returns.example.com'] } };
  await bed.api().create(LARGE_PAYLOAD_STORES, { ...second, spec }, NEVER);
  const names = (found: KubernetesObject) => serverOf(found).subjectAltName ?? '';
  await secretOnce(namespace, TLS_SECRET, (found) => names(found).includes('*.returns.example.com'));
  await bed.api().delete({ resource: LARGE_PAYLOAD_STORES, namespace, name: 'returns' }, undefined, NEVER);
  await secretOnce(namespace, TLS_SECRET, (found) => names(found) === names(before));
  // Stores of other tests are there too.
  const ofNamespace = () => issued.filter((each) => each.startsWith(namespace));
  await eventualValue(async () => ofNamespace().length === 3 || undefined);
  expect(ofNamespace()).toEqual(['Missing', 'OtherNames', 'OtherNames'].map((why) => `${namespace} ${why}`));
  await bed.api().delete({ resource: LARGE_PAYLOAD_STORES, namespace, name: 'orders' }, undefined, NEVER);
  await eventualValue(async () => ((await secret(namespace, TLS_SECRET)) ? undefined : true));
});

test('a Secret of others is neither changed nor deleted, and its stores are reconciled', async () => {
  const [operators, namespace] = [await bed.newNamespace(), await bed.newNamespace()];
  const theirs = {
    ...{ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: TLS_SECRET } },
    data: { password: 'c2VjcmV0' },
  };
  await bed.api().create(SECRETS, theirs, NEVER);
  await bed.api().create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  const { certificates } = operator(operators);
  const changed: string[] = [];
  certificates.onChange((key) => changed.push(key));
  await eventualValue(
    async () =>
      certificates.stateOf(namespace).problem?.includes('was not made by the operator') || undefined,
  );
  expect(changed).toContain(`${namespace}/orders`);
  await bed.api().delete({ resource: LARGE_PAYLOAD_STORES, namespace, name: 'orders' }, undefined, NEVER);
  await withStore();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await secret(namespace, TLS_SECRET))?.data).toEqual(theirs.data);
});

test('a person who writes a certificate with names of another namespace into the Secret gets none for them', async () => {
  const [operators, namespace] = [await bed.newNamespace(), await bed.newNamespace()];
  const own = ownSource(bed.api(), Date.now, operators);
  while (await own.keeper.look(() => 0, NEVER));
  const names = [`*.${namespace}.svc`, 'payloads.example.com', '*.payments.svc', 'kubernetes.default.svc'];
  const times = { notBefore: Date.now() - 1_000, notAfter: Date.now() + 1_000_000 };
  const theirs = makeServerCertificate(names, times, makeAuthority('theirs', times));
  const data = { 'tls.crt': theirs.certificate, 'tls.key': theirs.key };
  const type = 'kubernetes.io/tls';
  await writeSecret(bed.api(), undefined, { namespace, name: TLS_SECRET, type, data }, NEVER);
  // A resource of the namespace cannot be read, so names that were there stay.
  const request = { namespace, names: [`*.${namespace}.svc`], leftOut: 0, keepsNames: true };
  await own.source.settle(request, NEVER);
  const made = (await secret(namespace, TLS_SECRET)) as KubernetesObject;
  expect(serverOf(made).subjectAltName).toBe(`DNS:*.${namespace}.svc, DNS:payloads.example.com`);
  expect(fieldOf(made, 'tls.key')).not.toBe(theirs.key);
});

test('two operators that write at the same time make one authority, and certificates of it', async () => {
  const operators = await bed.newNamespace();
  const namespaces = [await withStore(), await withStore(), await withStore()];
  const [one, other] = [operator(operators), operator(operators)];
  for (const namespace of namespaces) await secretOnce(namespace, TLS_SECRET);
  const bundle = await eventualValue(async () =>
    one.keeper.bundle === other.keeper.bundle ? one.keeper.bundle : undefined,
  );
  const authority = authorityOf((await secret(operators, AUTHORITY_SECRET)) as KubernetesObject);
  expect(bundle).toBe(authority.toString());
  for (const namespace of namespaces) {
    const made = (await secret(namespace, TLS_SECRET)) as KubernetesObject;
    expect(serverOf(made).verify(authority.publicKey)).toBe(true);
    expect(serverOf(made).checkPrivateKey(createPrivateKey(fieldOf(made, 'tls.key') ?? ''))).toBe(true);
  }
  expect([...one.events, ...other.events].filter(({ reason }) => reason === 'AuthorityCreated')).toHaveLength(
    1,
  );
});

test('a rotation by hand replaces authority and certificates, and both authorities are published meanwhile', async () => {
  const [operators, namespace] = [await bed.newNamespace(), await withStore()];
  let aheadMs = 0;
  const own = ownSource(bed.api(), () => Date.now() + aheadMs, operators);
  const look = async () => {
    while (await own.keeper.look(() => 0, NEVER));
  };
  const request = {
    namespace,
    names: [`*.${namespace}.svc`, `*.${namespace}.svc.cluster.local`],
    leftOut: 0,
    keepsNames: false,
  };
  await look();
  await own.source.settle(request, NEVER);
  const first = own.keeper.bundle ?? '';
  const metadata = { namespace: operators, name: AUTHORITY_SECRET, annotations: { [ROTATE]: 'key stolen' } };
  await bed.api().patch(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata }, NEVER);
  await look();
  expect(own.keeper.bundle).not.toBe(first);
  expect(own.keeper.bundle).toContain(first);
  await own.source.settle(request, NEVER);
  expect(own.issued).toEqual([`${namespace} Missing`]);
  aheadMs = 16 * 60_000;
  await look();
  expect(own.keeper.bundle).toContain(first);
  await own.source.settle(request, NEVER);
  expect(own.issued).toEqual([`${namespace} Missing`, `${namespace} OtherAuthority`]);
  aheadMs = 32 * 60_000;
  await look();
  expect(own.keeper.bundle).not.toContain(first);
  const kept = (await secret(operators, AUTHORITY_SECRET)) as KubernetesObject;
  expect(Object.keys(kept.data as object).toSorted()).toEqual(['ca.crt', 'ca.key']);
  expect(
    serverOf((await secret(namespace, TLS_SECRET)) as KubernetesObject).verify(authorityOf(kept).publicKey),
  ).toBe(true);
  expect(own.events.map(({ reason }) => reason)).toEqual([
    'AuthorityCreated',
    'RotationBegun',
    'AuthorityChanged',
    'RotationCompleted',
  ]);
});

test('an authority that is damaged is reported and never replaced, and one that is deleted is written again', async () => {
  const [operators, namespace] = [await bed.newNamespace(), await withStore()];
  const own = ownSource(bed.api(), Date.now, operators);
  const look = async () => {
    while (await own.keeper.look(() => 0, NEVER));
  };
  await look();
  const bundle = own.keeper.bundle;
  const whole = (await secret(operators, AUTHORITY_SECRET)) as KubernetesObject;
  const metadata = { namespace: operators, name: AUTHORITY_SECRET };
  const broken = { 'ca.key': Buffer.from('nonsense').toString('base64') };
  await bed.api().patch(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata, data: broken }, NEVER);
  await look();
  expect(own.keeper.problem).toContain('the private key cannot be read');
  expect(own.keeper.bundle).toBe(bundle);
  const request = { namespace, names: [`*.${namespace}.svc`], leftOut: 0, keepsNames: false };
  await own.source.settle(request, NEVER);
  expect(await secret(namespace, TLS_SECRET)).toBeUndefined();
  expect(textAt((await secret(operators, AUTHORITY_SECRET))?.data, 'ca.key')).toBe(broken['ca.key']);
  // An operator that starts now knows no authority, and makes none either.
  const restarted = ownSource(bed.api(), Date.now, operators);
  await restarted.keeper.look(() => 0, NEVER);
  expect([restarted.keeper.bundle, restarted.keeper.problem]).toEqual([undefined, own.keeper.problem]);
  await bed.api().delete({ resource: SECRETS, ...metadata }, undefined, NEVER);
  await look();
  expect(own.keeper.problem).toBeUndefined();
  expect((await secret(operators, AUTHORITY_SECRET))?.data).toEqual(whole.data);
  await own.source.settle(request, NEVER);
  expect(
    serverOf((await secret(namespace, TLS_SECRET)) as KubernetesObject).verify(authorityOf(whole).publicKey),
  ).toBe(true);
  expect(own.events.map(({ reason }) => reason)).toEqual([
    'AuthorityCreated',
    'AuthorityDamaged',
    'AuthorityRestored',
  ]);
});

test('a write that is based on what another has changed since is refused', async () => {
  const operators = await bed.newNamespace();
  const own = ownSource(bed.api(), Date.now, operators);
  await own.keeper.look(() => 0, NEVER);
  const stale = (await secret(operators, AUTHORITY_SECRET)) as KubernetesObject;
  const metadata = { namespace: operators, name: AUTHORITY_SECRET, annotations: { [ROTATE]: 'now' } };
  await bed.api().patch(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata }, NEVER);
  const earlier = { ...stale, metadata: { ...stale.metadata, annotations: { [ROTATE]: 'earlier' } } };
  const real = bed.api();
  const api = {
    get: async () => earlier,
    patch: async (...call: Parameters<KubernetesApi['patch']>) => await real.patch(...call),
  } as Partial<KubernetesApi> as KubernetesApi;
  const late = ownSource(api, Date.now, operators);
  const failure = await late.keeper.look(() => 0, NEVER).catch((error: ApiError) => error);
  expect(failure).toMatchObject({ status: 409, reason: 'Conflict' });
  expect(textAt((await secret(operators, AUTHORITY_SECRET))?.metadata, 'annotations', ROTATE)).toBe('now');
});
