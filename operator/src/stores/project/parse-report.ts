import { at, textAt, timeAt } from '../json-fields.ts';
import type { PodReport } from '../observed.ts';

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
      version: textAt(body, 'version') ?? '',
      ready,
      error: ready ? undefined : errorOf(body),
      reaper: reaperOf(at(body, 'reaper')),
    },
  };
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
