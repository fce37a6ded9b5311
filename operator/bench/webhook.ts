import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { measured } from '@largepayload/testing/benchmarks/measuring';
import { PodRequests } from '@largepayload/testing/cluster/pod-requests';
import { freePorts } from '@largepayload/testing/processes/free-port';
import { MetricsReading } from '@largepayload/testing/servers/metrics-reading';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { podOf, reviewOf, secretOf } from '../src/admission/admission.fixture.ts';
import type { KubernetesObject } from '../src/kubernetes/api.ts';
import { MUTATING_WEBHOOK_CONFIGURATIONS, NAMESPACES, SECRETS } from '../src/kubernetes/resources.ts';
import { startBed } from './bed.ts';
import { percentile } from './measurements.ts';
import type { Row } from './row.ts';

const A_SECOND = 50;
const SECONDS = 20;
const STORES = 5;
const LABEL = 'largepayload.dev/inject';
const ENTRY = 'namespace.inject.largepayload.dev';
/** The API server has no metric between its buckets. */
const BUCKETS = 'apiserver_admission_webhook_admission_duration_seconds_bucket';

/** What the operator takes as a webhook, and what a pod in scope takes longer to be made. */
export async function withWebhook(nodeFlags: readonly string[]): Promise<Row[]> {
  await using bed = await measured('API server with a webhook', () => startBed(STORES, nodeFlags));
  const { signal } = new AbortController();
  const authority = testAuthority('bench');
  const [port = 0] = await freePorts(1);
  const namespaces = { plain: 'plain-workers', labelled: 'labelled-workers' };
  const kind = { apiVersion: 'v1', kind: 'Namespace' };
  await bed.api.create(NAMESPACES, { ...kind, metadata: { name: namespaces.plain } }, signal);
  const labels = { [LABEL]: 'documents' };
  await bed.api.create(NAMESPACES, { ...kind, metadata: { name: namespaces.labelled, labels } }, signal);
  // A certificate for the name by which the API server calls here. What another has made, the operator serves.
  const secret = secretOf(authority.issue());
  await bed.api.create(
    SECRETS,
    { ...secret, metadata: { ...secret.metadata, namespace: 'default' } },
    signal,
  );
  await using operator = await startWebhook();
  const entry = entryOf(`https://localhost:${port}/inject`, authority.certificate);
  await bed.api.create(MUTATING_WEBHOOK_CONFIGURATIONS, entry, signal);
  using requests = await PodRequests.of(bed.kubeconfig);
  const pod = podOf(undefined, { serviceAccountName: 'default' });
  const made = async (namespace: string) => {
    const { status, text } = await requests.make(namespace, pod, 'dryRun=All');
    if (status !== 201) throw new Error(`${status} ${text}`);
    return text.includes('large-payload-sidecar');
  };
  while (!(await made(namespaces.labelled))) await sleep(100);
  const agent = new Agent({ keepAlive: true, ca: authority.certificate });
  const review = JSON.stringify(reviewOf(pod, { namespace: namespaces.labelled }));
  const before = new MetricsReading(await requests.get('/metrics'));
  const cpuBefore = operator.cpuSeconds;
  const own = await measured('reviews', () => paced(() => ask(agent, port, review)));
  const cpuMs = ((operator.cpuSeconds - cpuBefore) / own.length) * 1_000;
  const plain = await measured('pods out of scope', () => paced(() => made(namespaces.plain)));
  const inScope = await measured('pods in scope', () => paced(() => made(namespaces.labelled)));
  agent.destroy();
  const after = new MetricsReading(await requests.get('/metrics'));
  const at = `${A_SECOND} admissions a second`;
  const added = percentile(inScope, 0.5) - percentile(plain, 0.5);
  return [
    [`webhook, ${at}: p50, p99 of an answer`, both(own), 'p99 ≤ 25 ms'],
    [`webhook, ${at}: as the API server counts, p50, p99`, seenBy(before, after), ''],
    [`pods out of scope, ${A_SECOND} a second: p50, p99`, both(plain), ''],
    [`pods in scope, ${A_SECOND} a second: p50, p99`, `${both(inScope)} (p50 +${added.toFixed(1)} ms)`, ''],
    ['webhook: CPU of an answer', `${cpuMs.toFixed(2)} ms`, ''],
    ['webhook: memory', `${operator.memory('VmRSS').toFixed(0)} MiB`, ''],
  ];

  async function startWebhook() {
    // Under another name than that of the entries: whom the API server trusts is written here.
    const args = [
      '--injection=Webhook',
      `--webhook-listen=127.0.0.1:${port}`,
      '--webhook-name=bench-operator',
    ];
    const process = await bed.startOperator(...args);
    while (!(await process.isReady())) await sleep(100);
    return Object.assign(process, { [Symbol.asyncDispose]: () => process.stop() });
  }
}

function entryOf(url: string, certificate: string): KubernetesObject {
  const webhook = {
    ...{ name: ENTRY, admissionReviewVersions: ['v1'], sideEffects: 'None', timeoutSeconds: 30 },
    clientConfig: { url, caBundle: Buffer.from(certificate).toString('base64') },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    namespaceSelector: { matchExpressions: [{ key: LABEL, operator: 'Exists' }] },
  };
  const kind = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' };
  return { ...kind, metadata: { name: 'bench' }, webhooks: [webhook] };
}

/** ms that each call took, the shortest first. A call does not wait for the one before. */
async function paced(call: () => Promise<unknown>): Promise<readonly number[]> {
  const began = performance.now();
  const calls = Array.from({ length: A_SECOND * SECONDS }, async (_, index) => {
    await sleep(Math.max(0, began + (index * 1_000) / A_SECOND - performance.now()));
    const asked = performance.now();
    await call();
    return performance.now() - asked;
  });
  return (await Promise.all(calls)).sort((one, other) => one - other);
}

function ask(agent: Agent, port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const options = { agent, port, host: 'localhost', path: '/inject', method: 'POST', headers };
    const asked = request(options, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`HTTP ${answer.statusCode}`));
      answer.resume().on('end', resolve);
    });
    asked.on('error', reject).end(body);
  });
}

function both(sorted: readonly number[]): string {
  return [0.5, 0.99].map((share) => `${percentile(sorted, share).toFixed(1)} ms`).join(', ');
}

/** The bounds of the buckets that the shares fall into. */
function seenBy(before: MetricsReading, after: MetricsReading): string {
  const counts = [...after.series.keys()]
    .filter((series) => series.startsWith(`${BUCKETS}{`) && series.includes(`name="${ENTRY}"`))
    .map((series) => {
      const seconds = Number(/le="([^"]+)"/.exec(series)?.[1]?.replace('+Inf', 'Infinity'));
      const count = (after.series.get(series) ?? 0) - (before.series.get(series) ?? 0);
      return { seconds, count };
    })
    .sort((one, other) => one.seconds - other.seconds);
  const all = counts.at(-1)?.count ?? 0;
  const bound = (share: number) => counts.find(({ count }) => count >= share * all)?.seconds ?? Number.NaN;
  return [0.5, 0.99].map((share) => `≤ ${bound(share) * 1_000} ms`).join(', ');
}
