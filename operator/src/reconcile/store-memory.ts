import type { LargePayloadStoreStatus } from '@largepayload/crds';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { PodReports, type PodReportsParts } from '../polling/poller.ts';
import { WriteFailures } from '../stores/write-plan/write-failures.ts';
import { ExplainingEvents } from './explaining-events.ts';
import { StoreWriter } from './plan-executor.ts';

/** ms that the view may lag behind what was written */
const VIEW_LAG = 5_000;
/** ms that the status waits for pods that are about to be heard, which may say something else */
const PATIENCE = 5_000;

/** What is remembered of one store between two looks at it; nothing that could not be found out anew. */
export class StoreMemory {
  readonly uid: string;
  readonly writer: StoreWriter;
  readonly failures = new WriteFailures();
  readonly reports: PodReports;
  readonly mountFailures: ExplainingEvents;
  readonly creationFailures: ExplainingEvents;
  #written: { readonly status: LargePayloadStoreStatus; readonly at: number } | undefined;
  /** ms, monotonic */
  #behindSince: number | undefined;

  constructor(uid: string, api: KubernetesApi, parts: PodReportsParts) {
    this.uid = uid;
    this.writer = new StoreWriter(api);
    this.reports = new PodReports(parts);
    this.mountFailures = new ExplainingEvents(api);
    this.creationFailures = new ExplainingEvents(api);
  }

  /** As written last, while the view may not show it yet; then as the view shows it, whoever wrote that. */
  status(shown: LargePayloadStoreStatus): LargePayloadStoreStatus {
    const isRecent = this.#written !== undefined && performance.now() - this.#written.at < VIEW_LAG;
    return isRecent ? (this.#written?.status ?? shown) : shown;
  }

  wrote(status: LargePayloadStoreStatus): void {
    this.#written = { status, at: performance.now() };
  }

  /** ms until the status may be told though some pods have not answered; 0: now */
  patience(): number {
    if (!this.reports.areBehind) this.#behindSince = undefined;
    else this.#behindSince ??= performance.now();
    if (this.#behindSince === undefined) return 0;
    return Math.max(0, this.#behindSince + PATIENCE - performance.now());
  }
}
