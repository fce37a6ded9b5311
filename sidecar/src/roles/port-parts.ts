import { parseQuantity, putTimeLimit, type StatusReport } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import type { DataPortTls } from '../data-api/data-context.ts';
import { type DataLimits, DEFAULT_LIMITS } from '../data-api/limits.ts';
import type { DrainTimes } from '../http/drain.ts';
import { memoryLimit } from '../memory/memory-limit.ts';
import { type ProcessLimits, processLimits } from '../memory/process-limits.ts';
import { type AdminContext, buildAdminServer } from '../operations/admin-server.ts';
import { Metrics } from '../operations/metrics.ts';
import { buildMetricsServer } from '../operations/metrics-server.ts';
import { Readiness } from '../operations/readiness.ts';
import { assertCertificate } from './data-port-tls.ts';
import { ttlOf } from './manifest-facts.ts';
import type { ServiceSettings } from './role.ts';
import type { Port } from './run-service.ts';
import { buildTraffic, type Traffic } from './traffic.ts';

/** Nothing is lost when the other ports cut off: a cleanup goes on when it is asked for again. */
const SHORT_DRAIN: DrainTimes = { limitMs: 1_000 };

/** What the ports of a process have in common, whatever they serve. */
export interface PortParts {
  readonly settings: ServiceSettings;
  readonly readiness: Readiness;
  readonly traffic: Traffic;
  /** bytes of the cache; 0: there is none */
  readonly cacheBytes: number;
  readonly metrics: Metrics;
  /** of the data port */
  readonly tls: DataPortTls | undefined;
  readonly log: FastifyBaseLogger;
}

/**
 * @param check rejects, saying why, when payloads cannot be served
 * @param latch whether readiness, once reached, lasts until the end
 */
export function buildPortParts(
  settings: ServiceSettings,
  check: () => Promise<void>,
  { latch, tls }: { latch: boolean; tls: DataPortTls | undefined },
  log: FastifyBaseLogger,
): PortParts {
  const readiness = new Readiness(() => assertCertificate(tls).then(check), { latch });
  const { cacheSize, tlsFolder } = settings;
  const processWide = processLimits(memoryLimit(), { cacheSize, takesTls: tlsFolder !== undefined });
  const traffic = buildTraffic(limitsOf(settings, processWide));
  const { watch, budget } = traffic;
  const metrics = new Metrics({ requests: () => watch.size, bytes: () => budget.used });
  metrics.watchReadiness(readiness);
  if (tls !== undefined) metrics.watchCertificate(tls.certificate);
  return { settings, readiness, traffic, cacheBytes: processWide.cacheBytes, metrics, tls, log };
}

function limitsOf(
  { manifest, limits: ownLimits }: ServiceSettings,
  { inFlightBytes, dataPort: connections }: ProcessLimits,
): DataLimits {
  const maxPayloadSize = parseQuantity(manifest.spec.maxPayloadSize);
  const putTimeLimitMs = putTimeLimit(ttlOf(manifest));
  const derived = { inFlightBytes, connections, maxPayloadSize, putTimeLimitMs };
  return { ...DEFAULT_LIMITS, ...derived, ...ownLimits };
}

/** Metrics, probes and status, for everybody. */
export function metricsPort(
  { metrics, readiness, log, settings }: PortParts,
  status: () => Promise<StatusReport>,
): Port {
  const app = buildMetricsServer({ metrics, readiness, status, log });
  return { app, address: settings.listen.metrics, drain: SHORT_DRAIN, isLast: true };
}

/** For loopback. */
export function adminPort({ settings }: PortParts, context: AdminContext): Port {
  return { app: buildAdminServer(context), address: settings.listen.admin, drain: SHORT_DRAIN };
}
