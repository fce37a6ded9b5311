import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { pino } from 'pino';
import packageFile from '../package.json' with { type: 'json' };
import { ApiError } from './kubernetes/api.ts';
import { connectToKubernetes } from './kubernetes/client-node-api.ts';
import { clusterUID } from './kubernetes/cluster-name.ts';
import { EventRecorder } from './kubernetes/event-recorder.ts';
import { LeaderElection } from './kubernetes/leader-election.ts';
import { Metrics } from './operations/metrics.ts';
import { listen } from './operations/server.ts';
import { HELP, type OperatorOptions, OptionsError, parseOptions } from './options.ts';
import { Controller } from './reconcile/controller.ts';

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
    // Whatever a reconciliation left running must not go on beside the next leader.
    process.exit(isUsage ? 2 : 1);
  }
}

async function run(options: OperatorOptions): Promise<void> {
  const log = pino({
    level: options.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    // What the API server refuses is in its words; where in this program it was asked tells nobody anything.
    serializers: {
      err: (error) => (error instanceof ApiError ? error.message : pino.stdSerializers.err(error)),
    },
  });
  const metrics = new Metrics();
  const api = connectToKubernetes({
    version: packageFile.version,
    onRequest: ({ verb, resource, status }) => metrics.recordRequest(verb, resource, status),
  });
  const stopping = stopSignal(log.info.bind(log));
  const instance = process.env.POD_NAME ?? hostname();
  const warn = (what: string) => (failure: Error) => log.warn({ err: failure }, what);
  const events = new EventRecorder({ api, instance, onFailure: warn('an Event could not be recorded') });
  const election = new LeaderElection({
    api,
    namespace: options.namespace,
    name: options.leaseName,
    identity: `${instance}_${randomUUID()}`,
    onFailure: warn('the Lease could not be read or renewed; it is tried again'),
  });
  metrics.watchLeadership(() => election.isLeader);
  let controller: Controller | undefined;
  const server = await listen(metrics.registry, () => controller?.missing, options.metricsListen);
  log.info({ version: packageFile.version, metrics: server.address, kubernetes: api.url }, 'listening');
  try {
    await election.run(stopping, async (signal) => {
      log.info({ lease: options.leaseName }, 'this replica leads');
      const clusterName = options.clusterName ?? (await clusterUID(api, signal));
      const settings = { ...options, clusterName };
      controller = new Controller({ api, settings, events, metrics, log });
      await controller.run(signal);
    });
    await events.settled(AbortSignal.timeout(2_000));
  } finally {
    await server.close();
  }
}

function stopSignal(say: (text: string) => void): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      say(`${name}: ending`);
      stop.abort();
    });
  }
  return stop.signal;
}
