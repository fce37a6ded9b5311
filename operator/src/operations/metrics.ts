import { AUTHENTICATIONS, type LargePayloadStoreStatus } from '@largepayload/crds';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { conditionOf } from '../stores/read-store.ts';

/** Upper bounds: from a reconciliation without requests to an API server that hardly answers. */
const DURATIONS_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30];
/** The API server waits for 3 s. */
const ADMISSION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 3];

interface WatchedCertificates {
  authorityNotAfter(): number | undefined;
  certificates(): Iterable<{ readonly notAfter?: number | undefined; readonly problem?: string | undefined }>;
}

/** The operator's metrics. No label holds the name of a store: there may be thousands. */
export class Metrics {
  readonly registry = new Registry();
  readonly #reconciles = new Counter({
    name: 'large_payload_operator_reconcile_total',
    help: 'Reconciliations of a store, by result: succeeded, failed.',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #durations = new Histogram({
    name: 'large_payload_operator_reconcile_duration_seconds',
    help: 'How long a reconciliation of a store took.',
    buckets: DURATIONS_SECONDS,
    registers: [this.registry],
  });
  readonly #requests = new Counter({
    name: 'large_payload_operator_api_requests_total',
    help: 'Requests to the Kubernetes API, by verb, resource and HTTP status (0: no answer).',
    labelNames: ['verb', 'resource', 'code'],
    registers: [this.registry],
  });
  readonly #waits = new Histogram({
    name: 'large_payload_operator_queue_wait_seconds',
    help: 'How long a store waited for its turn to be reconciled.',
    buckets: DURATIONS_SECONDS,
    registers: [this.registry],
  });

  readonly #issued = new Counter({
    name: 'large_payload_operator_certificates_issued_total',
    help: 'Certificates that were made, by reason: Missing, Damaged, OtherAuthority, OtherNames, NotYetValid, Old.',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  readonly #authoritySteps = new Counter({
    name: 'large_payload_operator_authority_steps_total',
    help: 'Steps of the certificate authority: create, begin, promote and drop of a rotation, restamp.',
    labelNames: ['step'],
    registers: [this.registry],
  });
  readonly #certificateFailures = new Counter({
    name: 'large_payload_operator_certificate_failures_total',
    help: 'Attempts to see to a certificate or the authority that failed; each is repeated.',
    registers: [this.registry],
  });
  readonly #admissions = new Counter({
    name: 'large_payload_operator_admissions_total',
    help: 'Answers of the webhook, by result: injected, unchanged, skipped, invalid, not_allowed, opted_out, out_of_scope, refused, failed.',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #admissionDurations = new Histogram({
    name: 'large_payload_operator_admission_duration_seconds',
    help: 'How long an answer of the webhook took, from the head of the request.',
    buckets: ADMISSION_SECONDS,
    registers: [this.registry],
  });

  constructor() {
    // By default the event loop is measured each 10 ms, which costs more than everything else in an idle operator.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
    for (const result of ['succeeded', 'failed']) this.#reconciles.inc({ result }, 0);
  }

  recordReconcile(result: 'succeeded' | 'failed', waitedSeconds: number, tookSeconds: number): void {
    this.#reconciles.inc({ result });
    this.#waits.observe(waitedSeconds);
    this.#durations.observe(tookSeconds);
  }

  recordRequest(verb: string, resource: string, code: number): void {
    this.#requests.inc({ verb, resource, code: String(code) });
  }

  /** @param result one of a few */
  recordAdmission(result: string, tookSeconds: number): void {
    this.#admissions.inc({ result });
    this.#admissionDurations.observe(tookSeconds);
  }

  recordCertificateIssued(reason: string): void {
    this.#issued.inc({ reason });
  }

  recordAuthorityStep(step: string): void {
    this.#authoritySteps.inc({ step });
  }

  recordCertificateFailure(): void {
    this.#certificateFailures.inc();
  }

  /** @param source both called at each scrape; times are ms since the epoch, `undefined`: not known */
  watchCertificates({ authorityNotAfter, certificates }: WatchedCertificates): void {
    const seconds = (time: number | undefined) =>
      time === undefined ? Number.NaN : Math.floor(time / 1_000);
    this.#gauge(
      'large_payload_operator_authority_not_after_timestamp_seconds',
      'When the certificate authority that signs expires; NaN: not known.',
      () => seconds(authorityNotAfter()),
    );
    this.#gauge(
      'large_payload_operator_certificate_not_after_timestamp_seconds',
      'When the first of the certificates of all namespaces and of the webhook expires; NaN: there is none.',
      () => {
        const times = [...certificates()].flatMap(({ notAfter }) => notAfter ?? []);
        return seconds(times.length === 0 ? undefined : times.reduce((one, other) => Math.min(one, other)));
      },
    );
    const namespaces: Gauge<'healthy'> = new Gauge({
      name: 'large_payload_operator_certificates',
      help: 'Namespaces with a store, and the webhook, by whether their certificate is as it should be.',
      labelNames: ['healthy'],
      registers: [this.registry],
      collect: () => {
        const healthy = [...certificates()].map(({ problem }) => problem === undefined);
        for (const value of [true, false])
          namespaces.set({ healthy: String(value) }, healthy.filter((each) => each === value).length);
      },
    });
  }

  /** @param isLeader called at each scrape */
  watchLeadership(isLeader: () => boolean): void {
    const help = '1 while this replica holds the Lease and reconciles.';
    this.#gauge('large_payload_operator_leading', help, () => Number(isLeader()));
  }

  /** @param count called at each scrape */
  watchQueue(count: () => number): void {
    this.#gauge('large_payload_operator_queue_depth', 'Stores that wait to be reconciled.', count);
  }

  /** @param statuses of all stores; called at each scrape */
  watchStores(statuses: () => readonly LargePayloadStoreStatus[]): void {
    const count = (isCounted: (status: LargePayloadStoreStatus) => boolean) =>
      statuses().filter(isCounted).length;
    const isReady = (status: LargePayloadStoreStatus) => conditionOf(status, 'Ready')?.status === 'True';
    const stores: Gauge<'ready'> = new Gauge({
      name: 'large_payload_operator_stores',
      help: 'LargePayloadStores, by whether they are Ready.',
      labelNames: ['ready'],
      registers: [this.registry],
      collect: () => {
        for (const ready of [true, false])
          stores.set(
            { ready: String(ready) },
            count((status) => isReady(status) === ready),
          );
      },
    });
    const modes: Gauge<'authentication'> = new Gauge({
      name: 'large_payload_operator_stores_by_authentication',
      help: 'LargePayloadStores, by the authentication in force: Token, Migrate, None.',
      labelNames: ['authentication'],
      registers: [this.registry],
      collect: () => {
        for (const authentication of AUTHENTICATIONS)
          modes.set(
            { authentication },
            count((status) => status.authentication === authentication),
          );
      },
    });
  }

  #gauge(name: string, help: string, count: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(count()),
    });
  }
}
