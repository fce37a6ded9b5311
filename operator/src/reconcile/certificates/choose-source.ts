import type { Logger } from 'pino';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import type { EventRecorder } from '../../kubernetes/event-recorder.ts';
import type { Metrics } from '../../operations/metrics.ts';
import { AuthorityKeeper, type AuthorityKeeperOptions } from './authority-keeper.ts';
import { CertManagerCertificates, type CertManagerCertificatesOptions } from './cert-manager-certificates.ts';
import type { CertificateSource } from './certificate-source.ts';
import { OwnCertificates } from './own-certificates.ts';

export interface SourceParts {
  readonly api: KubernetesApi;
  readonly options: {
    /** of the operator */
    readonly namespace: string;
    readonly certManager?: Omit<CertManagerCertificatesOptions, 'api'> | undefined;
  };
  /** ms since the epoch, by the clock of the API server */
  readonly now: () => number;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Certificates by cert-manager where the options ask for it, and else by the operator itself. */
export function certificateSource({
  api,
  options,
  now,
  events,
  metrics,
  log,
}: SourceParts): CertificateSource {
  if (options.certManager !== undefined) return new CertManagerCertificates({ api, ...options.certManager });
  const record: AuthorityKeeperOptions['record'] = (secret: KubernetesObject, event) => {
    log[event.type === 'Warning' ? 'warn' : 'info']({ reason: event.reason }, event.note);
    events.record(secret, { ...event, action: 'Rotate' });
  };
  const onStep = (step: string) => metrics.recordAuthorityStep(step);
  const keeper = new AuthorityKeeper({ api, namespace: options.namespace, now, record, onStep });
  const onIssue = (namespace: string, reason: string) => {
    log.info({ namespace, reason }, 'a certificate was made');
    metrics.recordCertificateIssued(reason);
  };
  return new OwnCertificates({ api, keeper, now, onIssue });
}
