import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningService } from '@largepayload/testing/service/service-process';
import { readyUrl } from './recovery.fixture.ts';

const INTERVAL = 500;

export interface Probed {
  readonly unready: number;
  /** ms */
  readonly slowest: number;
}

/** Asks whether the service is ready, as a kubelet does, until the signal. */
export async function probe(service: RunningService, signal: AbortSignal): Promise<Probed> {
  let unready = 0;
  let slowest = 0;
  while (!signal.aborted) {
    const started = performance.now();
    const answer = await fetch(readyUrl(service));
    await answer.text();
    if (!answer.ok) unready += 1;
    slowest = Math.max(slowest, performance.now() - started);
    await sleep(INTERVAL, undefined, { signal }).catch(() => {});
  }
  return { unready, slowest };
}
