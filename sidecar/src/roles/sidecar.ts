import { longestRequestMs } from '@largepayload/codec/wire/put-time-limit';
import type { FastifyBaseLogger } from 'fastify';
import { Callers } from '../callers/callers.ts';
import { buildDataServer } from '../data-api/data-server.ts';
import { type DataLimits, DEFAULT_LIMITS } from '../data-api/limits.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import { memoryLimit } from '../memory/memory-limit.ts';
import { sidecarLimits } from '../memory/process-limits.ts';
import { Metrics } from '../operations/metrics.ts';
import { buildMetricsServer } from '../operations/metrics-server.ts';
import { Readiness } from '../operations/readiness.ts';
import {
  ForwardingService,
  type ForwardingSettings,
} from '../payload-service/forwarding/forwarding-service.ts';
import type { RunningService } from './role.ts';
import { type Port, runService } from './run-service.ts';
import { buildTraffic } from './traffic.ts';
import { withCache } from './with-cache.ts';

/** The longest PUT, and time for its answer. The grace period of the pod ends it earlier. */
const DATA_DRAIN = { limitMs: longestRequestMs + 10_000 };
const METRICS_DRAIN = { limitMs: 1_000 };
/** The gateway judges the token of the pod. Only containers of the pod reach the port. */
const EVERY_CALLER = {
  authentication: 'None',
  policy: { namespace: '', name: '', spec: { gateway: {} } },
} as const;

export interface SidecarSettings {
  readonly gateway: Omit<ForwardingSettings, 'keptBytes'>;
  readonly listen: Readonly<Record<'data' | 'metrics', ListenAddress>>;
  /** bytes; default: no cache */
  readonly cacheSize?: number | undefined;
  readonly limits?: Partial<DataLimits>;
  /** bytes of memory for bodies that are kept; by default as the process's memory allows */
  readonly keptBytes?: number;
}

/**
 * Stands beside a worker and forwards its payloads to a gateway. It has no store and no manifest. It starts and goes on
 * without a gateway, a token or authorities, and answers a 503 that says what is missing.
 * @throws the error of a port that cannot be listened on
 */
export async function startSidecar(
  { gateway, listen, limits: ownLimits, keptBytes, cacheSize = 0 }: SidecarSettings,
  log: FastifyBaseLogger,
): Promise<RunningService<'data' | 'metrics'>> {
  const processWide = sidecarLimits(memoryLimit(), { cacheSize });
  const { inFlightBytes, collectedBodies, cacheBytes, dataPort } = processWide;
  const forwarding = new ForwardingService({ ...gateway, keptBytes: keptBytes ?? collectedBodies }, log);
  const readiness = new Readiness(() => forwarding.assertUsable());
  // How large a payload may be, and how long its PUT may take, is known by the gateway.
  const unknown = { maxPayloadSize: Number.MAX_SAFE_INTEGER, putTimeLimitMs: longestRequestMs };
  const derived = { inFlightBytes, connections: dataPort, ...unknown };
  const traffic = buildTraffic({ ...DEFAULT_LIMITS, ...derived, ...ownLimits });
  const { budget, watch } = traffic;
  const metrics = new Metrics({ requests: () => watch.size, bytes: () => budget.used }, { isSidecar: true });
  metrics.watchReadiness(readiness);
  const service = await withCache(forwarding, { settings: { cacheSize }, cacheBytes, metrics, log });
  const callers = new Callers(EVERY_CALLER, metrics);
  const data = buildDataServer({ ...traffic, service, metrics, callers, log });
  const operations = buildMetricsServer({ metrics, readiness, log });
  return await runService<'data' | 'metrics'>({
    ports: {
      data: { app: data, address: listen.data, drain: DATA_DRAIN },
      metrics: { app: operations, address: listen.metrics, drain: METRICS_DRAIN, isLast: true },
    } satisfies Record<string, Port>,
    readiness,
    work: async () => {},
    release: async () => {},
    close: async () => forwarding.close(),
  });
}
