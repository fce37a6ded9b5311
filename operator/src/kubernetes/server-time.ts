/**
 * The time of the API server, from the `Date` of its answers. What is written for the whole cluster depends on it, and not on the clock of
 * the node that the operator runs on.
 */
export class ServerTime {
  #latest: { readonly serverMs: number; readonly atMs: number } | undefined;

  /** @param date of an answer that has just arrived; one that cannot be read changes nothing */
  learn(date: string | undefined): void {
    const serverMs = Date.parse(date ?? '');
    if (!Number.isNaN(serverMs)) this.#latest = { serverMs, atMs: performance.now() };
  }

  /** ms since the epoch, to about a second; the time of this machine until there was an answer */
  now(): number {
    if (this.#latest === undefined) return Date.now();
    return this.#latest.serverMs + performance.now() - this.#latest.atMs;
  }
}
