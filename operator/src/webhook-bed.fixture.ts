import { PodRequests, type RawAnswer } from '@largepayload/testing/cluster/pod-requests';
import { type Manifest, renderChart } from '@largepayload/testing/cluster/rendered-chart';
import { helm } from '@largepayload/testing/programs/helm';
import { type TcpBalancer, tcpBalancer } from '@largepayload/testing/servers/tcp-balancer';
import { type TcpProxy, tcpProxy } from '@largepayload/testing/servers/tcp-proxy';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { ClusterView } from './cluster/cluster-view.ts';
import { StoreView } from './cluster/store-view.ts';
import type { KubernetesObject } from './kubernetes/api.ts';
import { apiBed, applyCrd, NEVER } from './kubernetes/api-server.fixture.ts';
import { MUTATING_WEBHOOK_CONFIGURATIONS, NAMESPACES } from './kubernetes/resources.ts';
import { Metrics } from './operations/metrics.ts';
import { parseOptions } from './options.ts';
import { CertificateController } from './reconcile/certificates/certificate-controller.ts';
import { OPERATORS, ownSource } from './reconcile/certificates/certificates.fixture.ts';
import { startWebhook, webhookCertificate } from './webhook.ts';

/** As the chart names it for a release of that name. */
export const WEBHOOK = 'payloads-large-payload-operator';
const OPTIONS = parseOptions([
  ...['--image=payload-store:test', `--namespace=${OPERATORS}`, '--injection=Webhook'],
  ...['--webhook-listen=127.0.0.1:0', `--webhook-name=${WEBHOOK}`],
]);
const LOG = pino({ level: 'silent' });
const onFailure = () => {};

export interface Replica {
  /** that the balancer may use */
  readonly port: number;
  readonly proxy: TcpProxy;
  readonly metrics: Metrics;
  readonly missing: string | undefined;
  /** As at SIGTERM. Resolves once it has ended. */
  stop(): Promise<void>;
}

export interface MadePod extends Omit<RawAnswer, 'text'> {
  readonly object: KubernetesObject & { readonly message?: string };
}

/**
 * The entries of the chart on an API server, two replicas that they lead to by a balancer, and a leader. The clock of the leader can be
 * set, and it is another one after `lead`.
 * @param firstAheadMs by which the clock of the first leader is ahead
 */
export function webhookBed(firstAheadMs = 0) {
  const bed = apiBed();
  const replicas: Replica[] = [];
  let balancer: TcpBalancer;
  let entries: Manifest;
  let requests: PodRequests;
  let aheadMs = 0;
  let stopLeader = async () => {};

  beforeAll(async () => {
    const api = bed.api();
    await applyCrd(api);
    await api.create(NAMESPACES, named(OPERATORS), NEVER);
    requests = await PodRequests.of(bed.controlPlane().kubeconfig);
    for (let count = 0; count < 2; count += 1) replicas.push(await startReplica());
    balancer = await tcpBalancer(...replicas.map(({ port }) => port));
    const manifests = await renderChart(await helm((line) => console.info(line)));
    entries = manifests.find(({ kind }) => kind === MUTATING_WEBHOOK_CONFIGURATIONS.kind) as Manifest;
    await applyEntries({});
    await lead(firstAheadMs);
    await eventually('all replicas are ready', () => replicas.every(({ missing }) => missing === undefined));
  });
  afterAll(async () => {
    await stopLeader();
    await Promise.all(replicas.map((replica) => replica.stop()));
    await balancer?.[Symbol.asyncDispose]();
    requests?.[Symbol.dispose]();
  });

  async function startReplica(): Promise<Replica> {
    const api = bed.api();
    const end = new AbortController();
    const metrics = new Metrics();
    const view = new StoreView({ api, namespaces: true, onFailure });
    const context = { api, options: OPTIONS, version: '0.0.0', view, metrics, log: LOG };
    const webhook = await startWebhook(context);
    if (webhook === undefined) throw new Error('it is a webhook');
    const running = Promise.all([view.run(end.signal), webhook.run(end.signal)]);
    const proxy = await tcpProxy(webhook.port);
    return {
      ...{ port: proxy.port, proxy, metrics },
      get missing() {
        return webhook.missing;
      },
      async stop() {
        end.abort();
        await running;
        await proxy[Symbol.asyncDispose]();
      },
    };
  }

  /** A leader begins, whose clock is ahead by so much. The one before has ended. */
  async function lead(ms: number): Promise<void> {
    await stopLeader();
    aheadMs = ms;
    const api = bed.api();
    const end = new AbortController();
    const stores = new StoreView({ api, namespaces: false, onFailure });
    const cluster = new ClusterView({ api, stores, onFailure });
    const { source } = ownSource(api, () => Date.now() + aheadMs);
    const ofWebhook = webhookCertificate(api, OPTIONS, onFailure);
    if (ofWebhook === undefined) throw new Error('it is a webhook');
    // There is no Service here, by whose name the API server could call.
    const names = [...ofWebhook.request.names, 'localhost'];
    const webhook = { ...ofWebhook, request: { ...ofWebhook.request, names } };
    const certificates = new CertificateController({
      cluster,
      source,
      webhook,
      metrics: new Metrics(),
      log: LOG,
    });
    const parts = [stores, cluster, certificates, ofWebhook];
    const running = Promise.all(parts.map((part) => part.run(end.signal)));
    stopLeader = async () => {
      end.abort();
      await running;
    };
  }

  /** Applies what the chart has, with these changes of each entry; `caBundle` stays. */
  async function applyEntries(changes: object): Promise<void> {
    const clientConfig = { url: `https://localhost:${balancer.port}/inject` };
    // A busy machine may need more than the 3 s of the chart.
    const all = { timeoutSeconds: 30, ...changes, clientConfig };
    const webhooks = entries.webhooks.map((entry: object) => ({ ...entry, ...all }));
    const object = { ...entries, webhooks } as unknown as KubernetesObject;
    await bed.api().apply(MUTATING_WEBHOOK_CONFIGURATIONS, object, { force: true }, NEVER);
  }

  async function makePod(namespace: string, pod: object, query?: string): Promise<MadePod> {
    const { text, ...answer } = await requests.make(namespace, pod, query);
    return { ...answer, object: JSON.parse(text) };
  }

  async function newNamespace(label?: string): Promise<string> {
    const name = `test-${crypto.randomUUID().slice(0, 8)}`;
    await bed.api().create(NAMESPACES, named(name, label), NEVER);
    return name;
  }

  return {
    ...{ bed, replicas, lead, applyEntries, makePod, newNamespace },
    balance: (...of: readonly Replica[]) => balancer.use(of.map(({ port }) => port)),
  };
}

function named(name: string, label?: string): KubernetesObject {
  const labels = label === undefined ? {} : { 'largepayload.dev/inject': label };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}
