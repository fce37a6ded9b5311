import type { Server } from 'node:http';
import type { FairBudget } from './fair-budget.ts';

/** ms that arriving connections keep requests from beginning, at most */
const LONGEST_PAUSE_MS = 250;

/**
 * Lets no request begin while connections arrive: those that have arrived stand in line meanwhile, in their order. Node
 * accepts one connection in a turn of its event loop (https://github.com/libuv/libuv/pull/3696). A turn in which many
 * transfers move takes tens of ms, so that of 256 clients that connect at once the last would be accepted after seconds, and
 * the first would be served again and again before it. A turn in which none moves takes well below a ms.
 */
export function pauseWhileConnectionsArrive(server: Server, budget: FairBudget): void {
  let arrived = 0;
  let pausedSince: number | undefined;
  const look = (seen: number) => {
    const pausedMs = performance.now() - (pausedSince ?? 0);
    if (seen < arrived && pausedMs < LONGEST_PAUSE_MS) {
      setImmediate(look, arrived);
      return;
    }
    pausedSince = undefined;
    budget.resume();
  };
  server.on('connection', () => {
    arrived += 1;
    if (pausedSince !== undefined) return;
    pausedSince = performance.now();
    budget.pause();
    // Immediates run after the events of a turn, so the first look is at this turn, and the second one at the next.
    setImmediate(look, 0);
  });
}
