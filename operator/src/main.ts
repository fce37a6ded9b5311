import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { pino } from 'pino';
import packageFile from '../package.json' with { type: 'json' };
import { ClusterView } from './cluster/cluster-view.ts';
import { StoreView } from './cluster/store-view.ts';
import { ApiError } from './kubernetes/api.ts';
import { connectToKubernetes } from './kubernetes/client-node-api.ts';
import { clusterUID } from './kubernetes/cluster-name.ts';
import { EventRecorder } from './kubernetes/event-recorder.ts';
import { LeaderElection } from './kubernetes/leader-election.ts';
import { ServerTime } from './kubernetes/server-time.ts';
import { Metrics } from './operations/metrics.ts';
import { listen } from './operations/server.ts';
import { HELP, type OperatorOptions, OptionsError, parseOptions } from './options.ts';
import { policies } from './policies.ts';
import { Poller } from './polling/poller.ts';
import { CertificateController } from './reconcile/certificates/certificate-controller.ts';
import { certificateSource } from './reconcile/certificates/choose-source.ts';
import { StoreController } from './reconcile/store-controller.ts';
import { startWebhook, webhookCertificate } from './webhook.ts';
import { watchWorkers } from './workers.ts';

const args = process.argv.slice(2);
if (args.includes('--version')) process.stdout.write(`${packageFile.version}\n`);
else if (args.includes('--help') || args.includes('-h')) process.stdout.write(HELP);
else {
  try {
    await run(parseOptions(args));
  } catch (error) {
    const isUsage = error instanceof OptionsError;
    process.stderr.write(
      `large-payload-operator: ${(error as Error).message}${isUsage ? '; see --help' : ''}\n`,
    );
    // End at once: no reconciliation may go on beside the next leader.
    process.exit(isUsage ? 2 : 1);
  }
}

async function run(options: OperatorOptions): Promise<void> {
  const log = pino({
    level: options.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    // The stack of an ApiError adds nothing to its message.
    serializers: {
      err: (error) => (error instanceof ApiError ? error.message : pino.stdSerializers.err(error)),
    },
  });
  const metrics = new Metrics();
  const time = new ServerTime();
  const api = connectToKubernetes({
    version: packageFile.version,
    onRequest: ({ verb, resource, status, date }) => {
      time.learn(date);
      metrics.recordRequest(verb, resource, status);
    },
  });
  const stopping = stopSignal(log.info.bind(log));
  const instance = process.env.POD_NAME ?? hostname();
  const warn = (message: string) => (failure: Error) => log.warn({ err: failure }, message);
  const events = new EventRecorder({ api, instance, onFailure: warn('an Event could not be recorded') });
  const election = new LeaderElection({
    api,
    namespace: options.namespace,
    name: options.leaseName,
    identity: `${instance}_${randomUUID()}`,
    onFailure: warn('the Lease could not be read or renewed; it is tried again'),
  });
  metrics.watchLeadership(() => election.isLeader);
  const onFailure = warn('a watch failed; it begins again');
  const { injection } = options;
  const storeView = new StoreView({ api, namespaces: injection !== undefined, onFailure });
  const cluster = new ClusterView({ api, stores: storeView, onFailure });
  const context = { api, options, version: packageFile.version, view: storeView, metrics, log };
  const webhook = await startWebhook(context);
  const ofWebhook = webhookCertificate(api, options, onFailure);
  const ofPolicies = policies(context);
  const problemOf = (store: string) => webhook?.missing ?? ofWebhook?.problem ?? ofPolicies.problemOf(store);
  const isInjecting = (store: string) => problemOf(store) === undefined && ofPolicies.isSettled(store);
  const now = () => time.now();
  const workers = watchWorkers({ ...context, events, instance, problemOf, isInjecting, now });
  ofPolicies.onChange((store) => workers.problemChanged(store));
  const missing = () =>
    webhook?.missing ?? (election.isLeader ? (cluster.missing ?? workers.missing) : undefined);
  const server = await listen(metrics.registry, missing, options.metricsListen);
  log.info({ version: packageFile.version, metrics: server.address, kubernetes: api.url }, 'listening');
  // With injection each replica needs it, and otherwise the leader only.
  const beside = injection === undefined ? [] : [storeView];
  const running = [...beside, ...(webhook ? [webhook] : [])].map((part) => part.run(stopping));
  try {
    await election.run(stopping, async (signal) => {
      log.info({ lease: options.leaseName }, 'this replica leads');
      const clusterName = options.clusterName ?? (await clusterUID(api, signal));
      const settings = { ...options, clusterName };
      const poller = new Poller();
      const source = certificateSource({ api, options, now, events, metrics, log });
      const certificates = new CertificateController({ cluster, source, webhook: ofWebhook, metrics, log });
      const stores = new StoreController({
        ...{ api, cluster, poller, certificates, settings, events, metrics, log },
      });
      const parts = [
        cluster,
        poller,
        certificates,
        stores,
        workers,
        ofPolicies,
        ...(ofWebhook ? [ofWebhook] : []),
      ];
      const leading = beside.length > 0 ? parts : [storeView, ...parts];
      await Promise.all(leading.map((part) => part.run(signal)));
    });
    await Promise.all(running);
    await events.settled(AbortSignal.timeout(2_000));
  } finally {
    await server.close();
  }
}

function stopSignal(log: (message: string) => void): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log(`${name}: ending`);
      stop.abort();
    });
  }
  return stop.signal;
}
