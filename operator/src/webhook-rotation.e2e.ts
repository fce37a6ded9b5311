import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { listAt, textAt } from '@largepayload/crds';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { podOf } from './admission/admission.fixture.ts';
import { AUTHORITY_SECRET, ROTATE } from './authority/authority-secret.ts';
import { WEBHOOK_SECRET } from './authority/certificate-names.ts';
import { fieldOf } from './authority/secret-data.ts';
import type { KubernetesObject } from './kubernetes/api.ts';
import { NEVER } from './kubernetes/api-server.fixture.ts';
import { MUTATING_WEBHOOK_CONFIGURATIONS, SECRETS } from './kubernetes/resources.ts';
import { OPERATORS } from './reconcile/certificates/certificates.fixture.ts';
import { WEBHOOK, webhookBed } from './webhook-bed.fixture.ts';

const MINUTE_MS = 60_000;
/** The leader's clock is behind at first, as certificates of the future would be refused. */
const START_MS = -80 * MINUTE_MS;
const { bed, replicas, lead, makePod, newNamespace } = webhookBed(START_MS);

const secret = async (name: string) =>
  (await bed.api().get({ resource: SECRETS, namespace: OPERATORS, name }, NEVER)) as KubernetesObject;
const servedBy = async (port: number) =>
  await new Promise<string>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
/** certificates that the API server trusts */
const trusted = async () => {
  const name = { resource: MUTATING_WEBHOOK_CONFIGURATIONS, namespace: '', name: WEBHOOK };
  const [entry] = listAt(await bed.api().get(name, NEVER), 'webhooks');
  const pem = Buffer.from(textAt(entry, 'clientConfig', 'caBundle') ?? '', 'base64').toString();
  return pem.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
};

test('no pod is refused while the authority of the webhook is replaced', async () => {
  const namespace = await newNamespace('documents');
  // There is no controller here that gives a pod its account.
  const pod = podOf(undefined, { serviceAccountName: 'default' });
  const wrong: unknown[] = [];
  let count = 0;
  let isOver = false;
  const stream = Array.from({ length: 2 }, async () => {
    while (!isOver) {
      const { status, object } = await makePod(namespace, pod, 'dryRun=All');
      count += 1;
      if (status !== 201 || listAt(object.spec, 'initContainers').length !== 1) wrong.push(object);
    }
  });
  // A failure before its end is no unhandled one.
  const streaming = Promise.all(stream).catch((error: unknown) => wrong.push(error));
  await eventually('pods are made', () => count > 10);
  const before = fieldOf(await secret(WEBHOOK_SECRET), 'tls.crt');
  const metadata = { namespace: OPERATORS, name: AUTHORITY_SECRET, annotations: { [ROTATE]: 'key stolen' } };
  await bed.api().patch(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata }, NEVER);
  await lead(START_MS);
  await eventually('both authorities are trusted', async () => (await trusted()) === 2);
  expect(fieldOf(await secret(WEBHOOK_SECRET), 'tls.crt')).toBe(before);
  await lead(START_MS + 16 * MINUTE_MS);
  const after = async () =>
    new X509Certificate(fieldOf(await secret(WEBHOOK_SECRET), 'tls.crt') ?? '').fingerprint256;
  const old = new X509Certificate(before ?? '').fingerprint256;
  await eventually('the certificate is replaced', async () => (await after()) !== old);
  expect(await trusted()).toBe(2);
  for (const { port } of replicas)
    await eventually('it is served', async () => (await servedBy(port)) === (await after()));
  // An hour after that the old authority goes, whatever is known of other certificates.
  await lead(0);
  await eventually('the old authority is trusted no longer', async () => (await trusted()) === 1);
  const then = count;
  await eventually('pods are still made', () => count > then + 20);
  isOver = true;
  await streaming;
  expect(wrong).toEqual([]);
});
