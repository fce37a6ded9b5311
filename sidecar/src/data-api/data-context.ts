import type { FastifyBaseLogger } from 'fastify';
import type { FairBudget } from '../http/fair-budget.ts';
import type { TransferWatch } from '../http/transfer-watch.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Readiness } from '../operations/readiness.ts';
import type { BlobStore } from '../payload-service/blob-store/blob-store.ts';
import type { DataLimits } from './limits.ts';

/** What the data port's handlers work with. */
export interface DataContext {
  readonly store: BlobStore;
  readonly limits: DataLimits;
  /** the bytes that all transfers together may hold */
  readonly budget: FairBudget;
  readonly watch: TransferWatch;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  /** the Temporal namespaces that are served; `undefined`: any */
  readonly namespaces: ReadonlySet<string> | undefined;
  readonly log: FastifyBaseLogger;
}
