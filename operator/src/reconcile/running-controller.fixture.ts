import type { Logger } from 'pino';
import { ClusterView } from '../cluster/cluster-view.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { EventRecorder } from '../kubernetes/event-recorder.ts';
import { Metrics } from '../operations/metrics.ts';
import { Poller } from '../polling/poller.ts';
import { StoreController } from './store-controller.ts';

/**
 * Runs a controller on an API server.
 * @returns ends it; resolves once the work under way has ended
 */
export function runController(
  api: KubernetesApi,
  log: Logger,
  onFailure: (failure: Error) => void = () => {},
): () => Promise<void> {
  const end = new AbortController();
  const cluster = new ClusterView({ api, onFailure });
  const poller = new Poller();
  const controller = new StoreController({
    ...{ api, cluster, poller, log },
    settings: {
      image: 'largepayload/payload-store:test',
      imagePullPolicy: 'Never',
      namespace: 'default',
      scrapeNamespaces: [],
    },
    events: new EventRecorder({ api, instance: 'test' }),
    metrics: new Metrics(),
  });
  const running = Promise.all([cluster, poller, controller].map((part) => part.run(end.signal)));
  return async () => {
    end.abort();
    await running;
  };
}
