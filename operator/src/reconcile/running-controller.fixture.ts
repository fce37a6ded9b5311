import type { Logger } from 'pino';
import { ClusterView } from '../cluster/cluster-view.ts';
import { StoreView } from '../cluster/store-view.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { EventRecorder } from '../kubernetes/event-recorder.ts';
import { Metrics } from '../operations/metrics.ts';
import { Poller } from '../polling/poller.ts';
import { CertificateController } from './certificates/certificate-controller.ts';
import type { CertificateSource } from './certificates/certificate-source.ts';
import { StoreController } from './store-controller.ts';

/** For tests of other things. */
const NO_CERTIFICATES: CertificateSource = {
  ...{ bundle: undefined, problem: 'no certificates are made here', authority: undefined },
  lookAtAuthority: async () => false,
  settle: async () => ({}),
  remove: async () => {},
};

/**
 * Runs a controller on an API server.
 * @returns ends it; resolves once the work under way has ended
 */
export function runController(
  api: KubernetesApi,
  log: Logger,
  onFailure: (failure: Error) => void = () => {},
  source: CertificateSource = NO_CERTIFICATES,
): () => Promise<void> {
  const end = new AbortController();
  const stores = new StoreView({ api, namespaces: false, onFailure });
  const cluster = new ClusterView({ api, stores, onFailure });
  const poller = new Poller();
  const metrics = new Metrics();
  const certificates = new CertificateController({ cluster, source, metrics, log });
  const controller = new StoreController({
    ...{ api, cluster, poller, certificates, log },
    settings: {
      image: 'largepayload/payload-store:test',
      imagePullPolicy: 'Never',
      namespace: 'default',
      scrapeNamespaces: [],
    },
    events: new EventRecorder({ api, instance: 'test' }),
    metrics,
  });
  const running = Promise.all(
    [stores, cluster, poller, certificates, controller].map((part) => part.run(end.signal)),
  );
  return async () => {
    end.abort();
    await running;
  };
}
