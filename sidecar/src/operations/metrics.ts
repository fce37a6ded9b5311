import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../errors/service-error.ts';
import type { CertificateFolder } from '../http/tls/certificate-folder.ts';
import type { CacheFigures } from '../payload-service/cache/cached-service.ts';
import type { Readiness } from './readiness.ts';

const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

type CacheMetric = readonly [name: string, help: string, figure: keyof CacheFigures];

const CACHE_COUNTERS: readonly CacheMetric[] = [
  ['hits', 'GETs answered from the cache, or by a request that was under way for another GET.', 'hits'],
  ['misses', 'GETs that asked the gateway or the storage.', 'misses'],
  ['admissions', 'Payloads that came into the cache, verified.', 'admissions'],
  ['evictions', 'Payloads that left the cache to make room.', 'evictions'],
  [
    'refused',
    'Answers with wrong bytes, which were fetched once more and did not come into the cache.',
    'refused',
  ],
];
const CACHE_GAUGES: readonly CacheMetric[] = [
  ['bytes', 'Memory of payloads in the cache and on their way into it.', 'bytes'],
  ['limit_bytes', 'The most memory that the cache takes.', 'limitBytes'],
];

interface WatchedCallers {
  readonly authentication: string;
  readonly namespaces: readonly string[];
  readonly keyAges: () => readonly { readonly issuer: string; readonly seconds: number }[];
}

/** What a sidecar does not do: it deletes nothing, judges no caller, and must not wake up to look at its event loop. */
const NOT_OF_SIDECARS = /^(payload_store_(cleanup|reaper|caller)|nodejs_eventloop_lag)_/;

/** The longest time of a timer. */
const NEVER_MS = 2 ** 31 - 1;

/** What `/metrics` shows. No label is a digest, key, workflow id or text that a caller chose. */
export class Metrics {
  readonly registry = new Registry();

  readonly #puts = new Counter({
    name: 'payload_store_put_total',
    help: 'PUTs answered, by result: created, existed (deduplicated) or the error code.',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #putBytes = new Counter({
    name: 'payload_store_put_bytes_total',
    help: 'Bytes of payloads newly stored; deduplicated ones add nothing.',
    registers: [this.registry],
  });
  readonly #gets = new Counter({
    name: 'payload_store_get_total',
    help: 'GETs answered, whether or not they succeeded.',
    registers: [this.registry],
  });
  readonly #getBytes = new Counter({
    name: 'payload_store_get_bytes_total',
    help: 'Bytes of payloads delivered whole.',
    registers: [this.registry],
  });
  readonly #getErrors = new Counter({
    name: 'payload_store_get_errors_total',
    help: 'GETs that did not deliver the payload, by error code.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly #duration = new Histogram({
    name: 'payload_store_request_duration_seconds',
    help: 'Time from the parsed request head to the end of the answer.',
    labelNames: ['operation'],
    buckets: DURATION_BUCKETS,
    registers: [this.registry],
  });
  readonly #deleted = new Counter({
    name: 'payload_store_cleanup_deleted_total',
    help: 'Payloads deleted by the reaper and by cleanup.',
    registers: [this.registry],
  });
  readonly #deletedBytes = new Counter({
    name: 'payload_store_cleanup_deleted_bytes_total',
    help: 'Bytes of payloads deleted by the reaper and by cleanup.',
    registers: [this.registry],
  });
  readonly #reaperPasses = new Counter({
    name: 'payload_store_reaper_passes_total',
    help: 'Passes of the reaper, by result: completed, failed or waiting (the clock is not confirmed).',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #reaperCompleted = new Gauge({
    name: 'payload_store_reaper_last_completed_timestamp_seconds',
    help: 'When the reaper last completed a pass; 0 before the first.',
    registers: [this.registry],
  });
  readonly #reaperWaiting = new Gauge({
    name: 'payload_store_reaper_waiting',
    help: '1 while the reaper deletes nothing, as the clock is not confirmed after a gap, else 0.',
    registers: [this.registry],
  });
  readonly #reaperLag = new Gauge({
    name: 'payload_store_reaper_lag_seconds',
    help: 'How much longer than its TTL what expired is kept, as the clock was set forward or the machine slept.',
    registers: [this.registry],
  });
  readonly #callerRequests = new Counter({
    name: 'payload_store_caller_requests_total',
    help: 'Requests whose caller was judged, by its Kubernetes namespace and result: ok or the error code.',
    labelNames: ['caller_namespace', 'result'],
    registers: [this.registry],
  });
  /** Those that may be labels; all others count as `other`. */
  readonly #callerNamespaces = new Set(['anonymous', 'oidc']);

  constructor(
    inFlight: { requests: () => number; bytes: () => number },
    { isSidecar = false }: { readonly isSidecar?: boolean } = {},
  ) {
    const gauges = { registers: [this.registry] };
    new Gauge({
      name: 'payload_store_in_flight_requests',
      help: 'PUTs and GETs in transfer.',
      ...gauges,
      collect() {
        this.set(inFlight.requests());
      },
    });
    new Gauge({
      name: 'payload_store_in_flight_bytes',
      help: 'Memory reserved for transfers; at the limit requests wait in line, then are answered 503 busy.',
      ...gauges,
      collect() {
        this.set(inFlight.bytes());
      },
    });
    for (const result of ['created', 'existed']) this.#puts.inc({ result }, 0);
    for (const code of ['key_not_found', 'integrity']) this.#getErrors.inc({ code }, 0);
    for (const result of ['completed', 'failed', 'waiting']) this.#reaperPasses.inc({ result }, 0);
    // Looking at the event loop each 10 ms, as it does by default, costs six times what all else does in an idle pod.
    const eventLoopMonitoringPrecision = isSidecar ? NEVER_MS : 100;
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision });
    if (!isSidecar) return;
    for (const { name } of this.registry.getMetricsAsArray())
      if (NOT_OF_SIDECARS.test(name)) this.registry.removeSingleMetric(name);
  }

  /** Adds a gauge of what each scrape asks for. */
  watchReadiness(readiness: Readiness): void {
    new Gauge({
      name: 'payload_store_ready',
      help: '1 while the storage, or for a sidecar the gateway, can be used and this process is not ending, else 0.',
      registers: [this.registry],
      async collect() {
        this.set((await readiness.report()).ready ? 1 : 0);
      },
    });
  }

  /** Adds what each scrape asks a cache for. */
  watchCache(figures: () => CacheFigures): void {
    for (const [name, help, figure] of CACHE_COUNTERS) {
      new Counter({
        name: `payload_store_cache_${name}_total`,
        help,
        registers: [this.registry],
        collect() {
          this.reset();
          this.inc(figures()[figure]);
        },
      });
    }
    for (const [name, help, figure] of CACHE_GAUGES) {
      new Gauge({
        name: `payload_store_cache_${name}`,
        help,
        registers: [this.registry],
        collect() {
          this.set(figures()[figure]);
        },
      });
    }
  }

  /** Adds what is known of callers: how they are known, the Kubernetes namespaces that are counted, and the age of keys in s. */
  watchCallers({ authentication, namespaces, keyAges }: WatchedCallers): void {
    new Gauge({
      name: 'payload_store_authentication_info',
      help: '1 with the mode by which callers are known: Token, Migrate or None.',
      labelNames: ['mode'],
      registers: [this.registry],
    }).set({ mode: authentication }, 1);
    new Gauge({
      name: 'payload_store_token_keys_age_seconds',
      help: 'Time since the keys that verify the tokens of an issuer were fetched; absent before the first time.',
      labelNames: ['issuer'],
      registers: [this.registry],
      collect() {
        for (const { issuer, seconds } of keyAges()) this.set({ issuer }, seconds);
      },
    });
    for (const namespace of namespaces) {
      this.#callerNamespaces.add(namespace);
      this.#callerRequests.inc({ caller_namespace: namespace, result: 'ok' }, 0);
    }
  }

  /** @param namespace of Kubernetes, or `anonymous` or `oidc` */
  recordCaller(namespace: string, result: 'ok' | ErrorCode): void {
    const label = this.#callerNamespaces.has(namespace) ? namespace : 'other';
    this.#callerRequests.inc({ caller_namespace: label, result });
  }

  /** Adds a gauge of when the certificate ends; each scrape looks at its files again. */
  watchCertificate(certificate: CertificateFolder): void {
    new Gauge({
      name: 'payload_store_tls_certificate_not_after_timestamp_seconds',
      help: 'When the TLS certificate in use expires, in seconds since 1970; 0 while there is none.',
      registers: [this.registry],
      async collect() {
        const pair = await certificate.current();
        this.set((pair?.notAfter ?? 0) / 1_000);
      },
    });
  }

  recordPut(outcome: 'created' | 'existed', bytes: number, seconds: number): void {
    this.#puts.inc({ result: outcome });
    if (outcome === 'created') this.#putBytes.inc(bytes);
    this.#duration.observe({ operation: 'put' }, seconds);
  }

  recordPutError(code: ErrorCode, seconds: number): void {
    this.#puts.inc({ result: code });
    this.#duration.observe({ operation: 'put' }, seconds);
  }

  recordGet(bytes: number, seconds: number): void {
    this.#gets.inc();
    this.#getBytes.inc(bytes);
    this.#duration.observe({ operation: 'get' }, seconds);
  }

  recordGetError(code: ErrorCode, seconds: number): void {
    this.#gets.inc();
    this.#getErrors.inc({ code });
    this.#duration.observe({ operation: 'get' }, seconds);
  }

  recordDeleted(objects: number, bytes: number): void {
    this.#deleted.inc(objects);
    this.#deletedBytes.inc(bytes);
  }

  /** @param seconds that deletion lags behind the clock */
  recordReaperLag(seconds: number): void {
    this.#reaperLag.set(seconds);
  }

  recordReaperPass(result: 'completed' | 'failed' | 'waiting'): void {
    this.#reaperPasses.inc({ result });
    if (result !== 'failed') this.#reaperWaiting.set(result === 'waiting' ? 1 : 0);
    if (result === 'completed') this.#reaperCompleted.setToCurrentTime();
  }
}
