import { at, textAt, timeAt } from '../json-fields.ts';
import type { PodReport, TakenOver } from '../observed.ts';

/** Reads the JSON that a pod answered to `GET /status`; whatever else answers there counts as no answer. */
export function parseReport(body: unknown): PodReport {
  const namespace = textAt(body, 'store', 'namespace');
  const name = textAt(body, 'store', 'name');
  const ready = at(body, 'ready');
  if (namespace === undefined || name === undefined || typeof ready !== 'boolean') {
    return { unreachable: 'what answered there is no payload-store' };
  }
  const store = `${namespace}/${name}`;
  const storageID = textAt(body, 'storageID');
  return {
    report: {
      store,
      // It is kept for ever, and labels that make a pod one of ours are anybody's to set.
      storageID: storageID === store || storageID?.startsWith(`${store}/`) ? storageID : undefined,
      takenOver: takenOverOf(at(body, 'lease'), store),
      version: textAt(body, 'version') ?? '',
      ready,
      error: ready ? undefined : errorOf(body),
      reaper: reaperOf(at(body, 'reaper')),
    },
  };
}

/** Every pod of the store tells it, as the lease has it. */
function takenOverOf(lease: unknown, store: string): TakenOver | undefined {
  const holder = textAt(lease, 'takenFrom', 'holder');
  const time = timeAt(lease, 'since');
  if (holder === undefined || time === undefined || textAt(lease, 'store') !== store) return undefined;
  const before = textAt(lease, 'takenFrom', 'store') ?? 'unknown';
  const cluster = textAt(lease, 'takenFrom', 'cluster');
  const where = cluster === undefined ? '' : ` of the cluster ${cluster}`;
  return { from: `${before}${where} (${holder})`, time };
}

function errorOf(body: unknown) {
  return {
    code: textAt(body, 'error', 'code') ?? 'internal',
    message: textAt(body, 'error', 'message') ?? 'it does not say why',
  };
}

function reaperOf(reaper: unknown) {
  if (typeof reaper !== 'object' || reaper === null) return undefined;
  return {
    lastCompleted: timeAt(reaper, 'lastCompletedTime'),
    lastError: textAt(reaper, 'lastError'),
    waiting: waitingOf(at(reaper, 'waiting')),
  };
}

function waitingOf(waiting: unknown) {
  if (textAt(waiting, 'reason') !== 'clock_unconfirmed') return undefined;
  return { until: timeAt(waiting, 'until') };
}
