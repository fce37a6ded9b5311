import { constants } from 'node:crypto';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { nodeTls } from '../memory/modules-on-demand.ts';
import { closedError } from './errors.ts';
import { SCRATCH } from './scratch.ts';

/** The server of a pool's connections. */
export interface Endpoint {
  readonly hostname: string;
  readonly port: number;
  /** of new connections; `undefined`: without TLS */
  secureContext: SecureContext | undefined;
  /** whether the server is verified even where NODE_TLS_REJECT_UNAUTHORIZED forbids it. Default false */
  readonly isAlwaysVerified?: boolean;
  /** of the last handshake, so that the next one is shorter */
  session: Buffer | undefined;
}

/** The exchange that uses a connection. */
export interface ConnectionUser {
  /** Memory for the next bytes: a part of `SCRATCH`, unless the user is sure that nothing else uses that memory. */
  space(): Buffer;
  /** These bytes have arrived in the space. They have to be used or copied now. @returns `false`: no more bytes until `resume` */
  received(bytes: Buffer): boolean;
  /** All written bytes have left, after some had to wait. */
  drained(): void;
  /** The connection has ended. @param error `undefined`: the other end closed it in order */
  ended(error: unknown): void;
}

const KEEP_ALIVE_PROBE_MS = 1_000;

/** One TCP or TLS connection, for one request after the other. Bytes that arrive while no request uses it close it. */
export class Connection {
  readonly openedAt = performance.now();
  /** from 0 to 1; spreads the ends of connections that began together */
  readonly jitter = Math.random();
  readonly socket: Socket;
  /** Rejects with the error of the network or TLS. */
  readonly connected: Promise<void>;
  readonly #closed = Promise.withResolvers<void>();
  #user: ConnectionUser | undefined;

  /** @param onClosed called once, when it is gone */
  constructor(endpoint: Endpoint, onClosed: (connection: Connection) => void) {
    this.socket = open(endpoint, {
      buffer: () => this.#user?.space() ?? SCRATCH,
      callback: (count, bytes) => this.#received((bytes as Buffer).subarray(0, count)),
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.connected = promise;
    let failure: unknown;
    this.socket
      .once(endpoint.secureContext === undefined ? 'connect' : 'secureConnect', resolve)
      .on('drain', () => this.#user?.drained())
      // The user has to see this, and not only the later `close`: it may be the end of an answer.
      .on('end', () => this.#end(undefined))
      .on('error', (error) => {
        failure = error;
      })
      .once('close', () => {
        const error = failure ?? closedError('the connection was closed');
        reject(error);
        this.#end(error);
        onClosed(this);
        this.#closed.resolve();
      });
    promise.catch(() => {
      // The service may take the ticket no more, so it is not offered again.
      endpoint.session = undefined;
    });
  }

  get isUsable(): boolean {
    return !this.socket.destroyed && this.socket.writable && !this.socket.readableEnded;
  }

  use(user: ConnectionUser): void {
    this.#user = user;
    this.socket.ref();
  }

  /** The connection has no user until the next `use`. */
  leave(): void {
    this.#user = undefined;
    // An unused connection must not keep the process running.
    this.socket.unref();
  }

  /** Resolves when the connection is gone. Its user gets the reason. */
  async close(reason?: unknown): Promise<void> {
    this.socket.destroy();
    this.#end(reason ?? closedError('the connection was closed'));
    await this.#closed.promise;
  }

  #received(bytes: Buffer): boolean {
    try {
      if (this.#user !== undefined) return this.#user.received(bytes);
      void this.close();
    } catch (error) {
      void this.close(error);
    }
    return true;
  }

  #end(error: unknown): void {
    const user = this.#user;
    this.#user = undefined;
    user?.ended(error);
    this.socket.destroy();
  }
}

/** @param hostname as in a URL, where an IPv6 address is in brackets */
export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function open(
  endpoint: Endpoint,
  onread: { buffer: () => Uint8Array; callback: (count: number, bytes: Uint8Array) => boolean },
): Socket {
  const host = withoutBrackets(endpoint.hostname);
  const { port, secureContext, session } = endpoint;
  const options = {
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
    onread,
  };
  if (secureContext === undefined) return connectPlain(options);
  const socket: TLSSocket = nodeTls().connect({
    ...options,
    secureContext,
    // RFC 6066, 3: a server name is not an address.
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...(session === undefined ? {} : { session }),
    ...(endpoint.isAlwaysVerified === true && { rejectUnauthorized: true }),
  });
  socket.on('session', (latest) => {
    // A later handshake that takes up a session does not verify the server again, so the authorities have to be the same.
    if (endpoint.secureContext === secureContext) endpoint.session = latest;
  });
  return socket;
}
