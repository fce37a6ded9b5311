import { pino } from 'pino';
import { ClusterView } from '../../cluster/cluster-view.ts';
import { StoreView } from '../../cluster/store-view.ts';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import type { RecordedEvent } from '../../kubernetes/event-recorder.ts';
import { Metrics } from '../../operations/metrics.ts';
import { AuthorityKeeper } from './authority-keeper.ts';
import { CertificateController } from './certificate-controller.ts';
import type { CertificateSource } from './certificate-source.ts';
import { OwnCertificates } from './own-certificates.ts';

/** Namespace of the operator, in tests. */
export const OPERATORS = 'operators';

/** The operator's own source, as far as its clock can be set. */
export function ownSource(api: KubernetesApi, now: () => number, namespace = OPERATORS) {
  const events: (Omit<RecordedEvent, 'action'> & { readonly of: KubernetesObject })[] = [];
  const issued: string[] = [];
  const record = (of: KubernetesObject, event: Omit<RecordedEvent, 'action'>) =>
    events.push({ ...event, of });
  const keeper = new AuthorityKeeper({ api, namespace, now, record });
  const onIssue = (of: string, reason: string) => issued.push(`${of} ${reason}`);
  return { keeper, events, issued, source: new OwnCertificates({ api, keeper, now, onIssue }) };
}

/** Runs the controller, whose `onChange` gives the keys of stores to reconcile. `stop` ends it. */
export function runCertificates(api: KubernetesApi, source: CertificateSource) {
  const end = new AbortController();
  const log = pino({ level: 'silent' });
  const metrics = new Metrics();
  const onFailure = () => {};
  const stores = new StoreView({ api, namespaces: false, onFailure });
  const cluster = new ClusterView({ api, stores, onFailure });
  const certificates = new CertificateController({ cluster, source, metrics, log });
  const running = Promise.all([stores, cluster, certificates].map((part) => part.run(end.signal)));
  const stop = async () => {
    end.abort();
    await running;
  };
  return { certificates, metrics, stop };
}
