import { Connection, type Endpoint } from './connection.ts';
import { type Limits, lateError } from './limits.ts';

/** Called with a connection that was given back, or with `undefined`: then it may open a new one. */
type Waiter = (connection: Connection | undefined) => void;

interface Idle {
  readonly connection: Connection;
  /** closes it in time */
  readonly timer: NodeJS.Timeout;
}

/** The connections to one service. The one used last is used first, so that surplus ones stay unused and are closed. */
export class ConnectionPool {
  readonly #endpoint: Endpoint;
  readonly limits: Limits;
  readonly #all = new Set<Connection>();
  /** the one used last at the end */
  readonly #idle: Idle[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(endpoint: Endpoint, limits: Limits) {
    this.#endpoint = endpoint;
    this.limits = limits;
  }

  /** connections held by requests */
  get inUse(): number {
    return this.#all.size - this.#idle.length;
  }

  /**
   * A connection for one request. A kept connection is returned at once.
   * @param isFresh whether kept connections are passed over
   * @throws the signal's reason; an error of the network or TLS; `TransportTimeoutError`
   */
  acquire(signal: AbortSignal | undefined, isFresh = false): Connection | Promise<Connection> {
    if (isFresh) return this.#acquireLater(signal);
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.connection.isUsable) return idle.connection;
    }
    return this.#acquireLater(signal);
  }

  /** Takes back a connection that can serve another request. @param keptMs how long the service keeps it without requests */
  giveBack(connection: Connection, keptMs: number): void {
    const { ageMs, ageJitter } = this.limits;
    const isOld = performance.now() - connection.openedAt > ageMs * (1 - ageJitter * connection.jitter);
    if (isOld || keptMs <= 0) void connection.close();
    if (!connection.isUsable) return;
    const [waiter] = this.#waiters;
    if (waiter === undefined) this.#keep(connection, Math.min(keptMs, this.limits.keptMs));
    else waiter(connection);
  }

  #keep(connection: Connection, keptMs: number): void {
    const timer = setTimeout(() => void connection.close(), keptMs).unref();
    this.#idle.push({ connection, timer });
    if (this.#idle.length <= this.limits.kept) return;
    const oldest = this.#idle.shift();
    clearTimeout(oldest?.timer);
    void oldest?.connection.close();
  }

  /** Closes the connections that no request uses. */
  closeIdle(): void {
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      void connection.close();
    }
  }

  close(): void {
    for (const connection of this.#all) void connection.close();
  }

  #acquireLater(signal: AbortSignal | undefined): Promise<Connection> {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    let opening: Connection | undefined;
    const stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const succeed = (connection: Connection) => {
      stop();
      resolve(connection);
    };
    const fail = (error: unknown) => {
      stop();
      this.#waiters.delete(begin);
      void opening?.close();
      reject(error);
    };
    const onAbort = () => fail(signal?.reason);
    const begin: Waiter = (given) => {
      this.#waiters.delete(begin);
      if (given !== undefined) return succeed(given);
      const opened = new Connection(this.#endpoint, (closed) => this.#onClosed(closed));
      opening = opened;
      this.#all.add(opened);
      opened.connected.then(() => succeed(opened), fail);
    };
    const { connectMs } = this.limits;
    const timer = setTimeout(() => fail(lateError('connection', connectMs)), connectMs);
    signal?.addEventListener('abort', onAbort);
    if (this.#all.size < this.limits.connections) begin(undefined);
    else this.#waiters.add(begin);
    return promise;
  }

  #onClosed(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.findIndex((idle) => idle.connection === connection);
    if (at >= 0) for (const { timer } of this.#idle.splice(at, 1)) clearTimeout(timer);
    const [waiter] = this.#waiters;
    waiter?.(undefined);
  }
}
