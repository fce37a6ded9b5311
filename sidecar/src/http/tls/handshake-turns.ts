import type { Socket } from 'node:net';
import { FairBudget } from '../fair-budget.ts';
import { peerOf } from '../peer.ts';
import { TransferWatch } from '../transfer-watch.ts';

/**
 * Limits the handshakes under way, fair between peers: each costs memory, and one that its client does not go on with would keep
 * its place. When others wait, such a handshake ends after a second.
 */
export class HandshakeTurns {
  readonly #turns: FairBudget;
  readonly #watch: TransferWatch;

  /**
   * @param limit handshakes at a time
   * @param timeMs that one may take, and may wait for its turn
   * @param mostWaiting for their turn
   */
  constructor(limit: number, timeMs: number, mostWaiting: number) {
    this.#turns = new FairBudget({ limit, waitTimeMs: timeMs, mostWaiting });
    // A handshake is a transfer that has moved nothing as long as it lasts.
    this.#watch = new TransferWatch({ progressPeriodMs: timeMs, progressBytes: 1 }, () => this.#turns.demand);
  }

  /**
   * Resolves when it is the connection's turn, with a function that ends it. The end of the connection does, too.
   * @throws ServiceError `busy` when too many wait; when the connection ends before
   */
  async take(tcp: Socket): Promise<() => void> {
    const peer = peerOf({ socket: tcp });
    const left = new AbortController();
    tcp.once('close', () => left.abort());
    const release = await this.#turns.reserve(peer, 1, left.signal);
    const handshake = this.#watch.begin({ peer, units: 1, onExpired: () => tcp.destroy() });
    handshake.wait();
    const end = () => {
      handshake.end();
      release();
    };
    tcp.once('close', end);
    return end;
  }
}
