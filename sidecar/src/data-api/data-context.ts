import type { FastifyBaseLogger } from 'fastify';
import type { Callers } from '../callers/callers.ts';
import type { FairBudget } from '../http/fair-budget.ts';
import type { CertificateFolder } from '../http/tls/certificate-folder.ts';
import type { TransferWatch } from '../http/transfer-watch.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { PayloadService } from '../payload-service/payload-service.ts';
import type { DataLimits } from './limits.ts';

/** How a data port takes TLS beside plain HTTP. */
export interface DataPortTls {
  readonly certificate: CertificateFolder;
  /** whether a request by plain HTTP is refused */
  readonly isRequired: boolean;
}

/** What the data port's handlers work with. */
export interface DataContext {
  readonly service: PayloadService;
  readonly limits: DataLimits;
  /** the bytes that all transfers together may hold */
  readonly budget: FairBudget;
  readonly watch: TransferWatch;
  readonly metrics: Metrics;
  readonly callers: Callers;
  /** absent: the port takes plain HTTP only */
  readonly tls?: DataPortTls | undefined;
  readonly log: FastifyBaseLogger;
}
