import type { DataLimits } from '../data-api/limits.ts';
import { FairBudget } from '../http/fair-budget.ts';
import { TransferWatch } from '../http/transfer-watch.ts';

/** What the transfers of a data port share. */
export interface Traffic {
  readonly limits: DataLimits;
  readonly budget: FairBudget;
  readonly watch: TransferWatch;
}

export function buildTraffic(limits: DataLimits): Traffic {
  const budget = new FairBudget({ ...limits, limit: limits.inFlightBytes });
  return { limits, budget, watch: new TransferWatch(limits, () => budget.demand) };
}
