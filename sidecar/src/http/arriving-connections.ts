import type { Server } from 'node:http';
import type { FairBudget } from './fair-budget.ts';

/** For how long arriving connections delay requests at most, ms. */
const LONGEST_PAUSE_MS = 250;
/** For how long after that they do not delay them: clients that connect anew for each request arrive all the time. ms */
const REST_MS = 1_000;

/**
 * Begins no request while many connections arrive; requests that have arrived wait in line meanwhile. Node accepts one
 * connection in a turn of its event loop (https://github.com/libuv/libuv/pull/3696). A turn in which many transfers move takes
 * tens of ms. So of 256 clients that connect at once, the last would be accepted after seconds, and the first would be served
 * again and again before it. A turn in which no transfer moves takes well below a ms.
 */
export function pauseWhileConnectionsArrive(server: Server, budget: FairBudget): void {
  let arrived = 0;
  let pausedSince = Number.NEGATIVE_INFINITY;
  let isPaused = false;
  const look = (seen: number) => {
    if (seen < arrived && performance.now() - pausedSince < LONGEST_PAUSE_MS) {
      setImmediate(look, arrived);
      return;
    }
    isPaused = false;
    budget.resume();
  };
  server.on('connection', () => {
    arrived += 1;
    if (isPaused || performance.now() - pausedSince < LONGEST_PAUSE_MS + REST_MS) return;
    isPaused = true;
    pausedSince = performance.now();
    budget.pause();
    // Immediates run after the events of a turn, so the first look is at this turn, and the second one at the next.
    setImmediate(look, 0);
  });
}
