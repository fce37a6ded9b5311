import type { Logger } from 'pino';
import { MOST_FURTHER_NAMES } from '../../authority/certificate-names.ts';
import type { ClusterView } from '../../cluster/cluster-view.ts';
import { ApiError } from '../../kubernetes/api.ts';
import { WorkQueue } from '../../kubernetes/work-queue.ts';
import type { Metrics } from '../../operations/metrics.ts';
import type { CertificateRequest, CertificateSource, CertificateStatus } from './certificate-source.ts';
import { NamespaceNames } from './namespace-names.ts';

/** namespaces worked on at a time */
const CONCURRENCY = 4;
/** A key of the queue that is the name of no namespace. */
const AUTHORITY = '(authority)';
const WEBHOOK = '(webhook)';
/** A person who asks for another authority, and a pod that has no certificate, should not wait for long. */
const SOON_MS = 60_000;
/** Between two steps of a rotation. */
const AGAIN_MS = 100;
/** The operator may not watch Secrets, so it looks at each now and then: one that was edited is noticed by that. */
const CERTIFICATE_LOOK_MS = 3_600_000;

/** The certificate of the webhook, which is no namespace's. */
export interface WebhookCertificate {
  readonly request: CertificateRequest;
  /** Makes the API server trust what is signed by these authorities. Called before each look at the certificate. */
  publish(bundle: string, signal: AbortSignal): Promise<void>;
  /** Called when `publish` may have something to do. */
  onChange(listener: () => void): void;
}

export interface CertificateControllerParts {
  readonly cluster: ClusterView;
  readonly source: CertificateSource;
  /** `undefined`: there is no webhook, or another makes its certificate */
  readonly webhook?: WebhookCertificate | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** What the objects and the status of a store need to know of TLS. */
export interface TlsState {
  /** certificates that clients trust, as PEM; `undefined`: not known now, so what was published stays */
  readonly bundle: string | undefined;
  /** why the namespace has no certificate as it should be, as a sentence for people */
  readonly problem: string | undefined;
  /** The first certificate of the namespace is being made, as far as this process knows. */
  readonly isPending: boolean;
}

/** Sees to it that each namespace with a store, and the webhook, has a certificate, and that there is an authority to sign it. */
export class CertificateController {
  readonly #parts: CertificateControllerParts;
  readonly #queue: WorkQueue;
  readonly #names = new NamespaceNames();
  readonly #statuses = new Map<string, CertificateStatus>();
  readonly #listeners: ((store: string) => void)[] = [];
  /** why the authority could not be looked at */
  #failure: string | undefined;
  /** what all namespaces depend on, as it was last */
  #shared: string;

  constructor(parts: CertificateControllerParts) {
    this.#parts = parts;
    this.#shared = this.#describeShared();
    const { cluster, metrics, log, webhook } = parts;
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      work: async (key, signal) =>
        await (key === AUTHORITY ? this.#lookAtAuthority(signal) : this.#settle(key, signal)),
      onDone: ({ key, failure, retryInMs }) => {
        if (failure === undefined || retryInMs === undefined) return;
        metrics.recordCertificateFailure();
        log.warn(
          { namespace: key, err: failure, retryIn: retryInMs },
          'a certificate could not be seen to; it is tried again',
        );
      },
    });
    cluster.onChange((store) => {
      const namespace = this.#names.notice(store, cluster.store(store));
      if (namespace !== undefined) this.#queue.add(namespace);
    });
    webhook?.onChange(() => this.#queue.add(WEBHOOK));
    metrics.watchCertificates({
      authorityNotAfter: () => parts.source.authority?.notAfter,
      certificates: () => this.#statuses.values(),
    });
  }

  /** Called with the key, `NAMESPACE/NAME`, of each store whose `TlsState` has changed. */
  onChange(listener: (store: string) => void): void {
    this.#listeners.push(listener);
  }

  stateOf(namespace: string): TlsState {
    const { bundle, problem } = this.#parts.source;
    const status = this.#statuses.get(namespace);
    const why = problem ?? this.#failure ?? status?.problem;
    return { bundle, problem: why, isPending: status === undefined && why === undefined };
  }

  /** A pod has no certificate: the Secret may have been deleted. Looks soon, and not more often than that. */
  lookSoon(namespace: string): void {
    this.#queue.addAfter(namespace, SOON_MS);
  }

  /** Works until the signal is aborted, beside the view; resolves when the work under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    // The names are those of all stores.
    await this.#parts.cluster.synced.catch(() => {});
    this.#queue.add(AUTHORITY);
    if (this.#parts.webhook) this.#queue.add(WEBHOOK);
    await this.#queue.run(signal);
  }

  async #lookAtAuthority(signal: AbortSignal): Promise<void> {
    const { source } = this.#parts;
    try {
      const isAgain = await source.lookAtAuthority((authority) => this.#replacedAt(authority), signal);
      this.#failure = undefined;
      this.#queue.addAfter(AUTHORITY, isAgain ? AGAIN_MS : SOON_MS);
    } catch (error) {
      if (error instanceof ApiError && isRefusal(error)) this.#failure = error.message;
      throw error;
    } finally {
      this.#tellWhatIsShared();
    }
  }

  #replacedAt(authority: string): number | undefined {
    let latest = 0;
    for (const key of this.#keys()) {
      const status = this.#statuses.get(key);
      if (status?.authority !== authority) return undefined;
      latest = Math.max(latest, status.issuedAt ?? 0);
    }
    return latest;
  }

  #tellWhatIsShared(): void {
    const shared = this.#describeShared();
    if (shared === this.#shared) return;
    this.#shared = shared;
    for (const key of this.#keys()) {
      this.#queue.add(key);
      this.#tell(key);
    }
  }

  /** namespaces with a certificate, and the webhook */
  #keys(): readonly string[] {
    return [...this.#names.namespaces(), ...(this.#parts.webhook ? [WEBHOOK] : [])];
  }

  #describeShared(): string {
    const { bundle, problem, authority } = this.#parts.source;
    return JSON.stringify([bundle, problem, authority?.fingerprint, this.#failure]);
  }

  async #settle(key: string, signal: AbortSignal): Promise<void> {
    const { source, webhook } = this.#parts;
    const request = key === WEBHOOK ? webhook?.request : this.#names.request(key);
    if (request === undefined) {
      await source.remove(key, signal);
      this.#statuses.delete(key);
      return;
    }
    // Without an authority nothing can be made. Every namespace comes again once there is one.
    if (source.bundle === undefined || source.problem !== undefined) return;
    try {
      // The API server has to trust the authority before the webhook shows a certificate of it.
      if (key === WEBHOOK) await webhook?.publish(source.bundle, signal);
      const status = await source.settle(request, signal);
      const tooMany = request.leftOut > 0 ? `${request.leftOut} ${TOO_MANY_NAMES}` : undefined;
      this.#setStatus(key, { ...status, problem: status.problem ?? tooMany });
    } catch (error) {
      if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
      if (isEnding(error)) return;
      this.#setStatus(key, { ...this.#statuses.get(key), problem: error.message });
      throw error;
    }
    // A new replica serves nothing without the webhook's, and no pod of a store reports that it is missing.
    const pauseMs = key === WEBHOOK ? SOON_MS : CERTIFICATE_LOOK_MS;
    this.#queue.addAfter(key, pauseMs * (0.75 + Math.random() / 4));
  }

  #setStatus(namespace: string, status: CertificateStatus): void {
    const before = this.#statuses.get(namespace);
    this.#statuses.set(namespace, status);
    if (before !== undefined && before.problem === status.problem) return;
    this.#tell(namespace);
    // The others are in the status of their stores.
    if (namespace === WEBHOOK && status.problem !== undefined) this.#parts.log.warn(status.problem);
  }

  #tell(namespace: string): void {
    for (const store of this.#names.stores(namespace))
      for (const listener of this.#listeners) listener(store);
  }
}

const TOO_MANY_NAMES = `names of spec.gateway.dnsNames are not in the certificate, as the stores of the namespace have more than ${MOST_FURTHER_NAMES} together`;

/** The API server will not change its mind soon. A conflict means that another has written, so the next try reads that. */
function isRefusal({ status }: ApiError): boolean {
  return status >= 400 && status < 500 && status !== 409 && status !== 429;
}

/** The namespace is being deleted, and its stores with it. */
function isEnding({ status, message }: ApiError): boolean {
  return status === 403 && message.includes('because it is being terminated');
}
