import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ConnectionRules, HEADS_BEFORE_END } from '../memory/connection-rules.ts';
import { peerOf } from './peer.ts';
import { tcpSocketOf } from './tls/tcp-socket.ts';

/** Requests of one connection that are not answered yet. */
const MOST_UNANSWERED = 8;
/** Header lines of one request. Node drops what is beyond, so a request that has as many is refused. */
const MOST_HEADER_LINES = 256;
/** Of 16 places one is kept free: a place is free again only some time after its connection was closed. */
const FREE_PLACES = 1 / 16;

interface Connection {
  /** of TCP, also where TLS is above it */
  readonly socket: Socket;
  readonly peer: string;
  readonly largestHead: number;
  /** of all requests so far */
  headBytes: number;
  unanswered: number;
  unansweredBytes: number;
  /** the answer that began last */
  answer: ServerResponse | undefined;
  /** since when it has no request, or when its last one came; monotonic clock, ms */
  idleSince: number;
}

/** Answers a request whose head is refused, and ends its connection. */
type RefuseHead = (error: Error & { code?: string }, socket: Socket) => void;

const guards = new WeakMap<Socket, Connections>();

/** The guard of the connection's port. */
export function connectionsOf(socket: Socket): Connections | undefined {
  return guards.get(tcpSocketOf(socket));
}

/** Bounds what all connections of a port hold together. Each connection can cost what its largest head says, and no more. */
export class Connections {
  readonly #server: Server & { maxHeaderSize?: number };
  readonly #rules: ConnectionRules;
  readonly #refuseHead: RefuseHead;
  readonly #open = new Map<Socket, Connection>();
  #largeHeads = 0;

  constructor(server: Server, rules: ConnectionRules, refuseHead: RefuseHead) {
    keepNoParsers();
    this.#server = server;
    this.#rules = rules;
    this.#refuseHead = refuseHead;
    server.maxConnections = rules.connections;
    server.maxHeadersCount = MOST_HEADER_LINES;
    server.prependListener('connection', (socket: Socket) => this.#accept(socket));
  }

  /** Whether a request is to be handled. A request that is not to be handled has been answered or cut off. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    const connection = this.#open.get(tcpSocketOf(socket));
    // What was received together goes on being parsed after the connection was given up.
    if (connection === undefined || socket.destroyed) return false;
    const bytes = headBytesOf(request);
    connection.headBytes += bytes;
    connection.unanswered += 1;
    connection.unansweredBytes += bytes;
    connection.answer = response;
    connection.idleSince = performance.now();
    if (connection.unanswered > MOST_UNANSWERED || connection.unansweredBytes > connection.largestHead) {
      socket.destroy();
      return false;
    }
    if (request.rawHeaders.length >= 2 * MOST_HEADER_LINES) {
      const tooMany = Object.assign(new Error('too many header lines'), { code: 'HPE_HEADER_OVERFLOW' });
      this.#refuseHead(tooMany, socket);
      return false;
    }
    if (connection.headBytes > connection.largestHead * HEADS_BEFORE_END) response.shouldKeepAlive = false;
    this.#limitAnswer(response, socket);
    response.once('close', () => {
      connection.unanswered -= 1;
      connection.unansweredBytes -= bytes;
      connection.idleSince = performance.now();
    });
    return true;
  }

  /** Who asks and never reads would keep its place for ever. */
  #limitAnswer(response: ServerResponse, socket: Socket): void {
    const { answerTimeMs } = this.#rules;
    if (answerTimeMs === undefined) return;
    const look = setInterval(() => {
      if (response.writableEnded) socket.destroy();
    }, answerTimeMs).unref();
    response.once('close', () => clearInterval(look));
  }

  /** The largest head that the connection may send, and whether another connection could send a larger one. */
  headLimitOf(socket: Socket): { readonly bytes: number; readonly isLargest: boolean } {
    const { largestHead, smallHead, largeHeads } = this.#rules;
    const bytes = this.#open.get(tcpSocketOf(socket))?.largestHead ?? smallHead;
    return { bytes, isLargest: largeHeads === 0 || bytes === largestHead };
  }

  /** Node takes the largest head from its server when it makes the parser of a connection. */
  allowHead(tcp: Socket): void {
    this.#server.maxHeaderSize = this.#open.get(tcp)?.largestHead ?? this.#rules.smallHead;
  }

  /** Closes a connection without a request, so that another one may send a large head. */
  makeRoomForLargeHead(): void {
    const { largestHead } = this.#rules;
    this.#closeOne((connection) => connection.unanswered === 0 && connection.largestHead === largestHead);
  }

  #accept(socket: Socket): void {
    const { largeHeads, largestHead, smallHead, connections } = this.#rules;
    const isLarge = this.#largeHeads < largeHeads;
    if (isLarge) this.#largeHeads += 1;
    const connection: Connection = {
      ...{ socket, peer: peerOf({ socket }), largestHead: isLarge ? largestHead : smallHead },
      ...{ headBytes: 0, unanswered: 0, unansweredBytes: 0, answer: undefined, idleSince: performance.now() },
    };
    this.#open.set(socket, connection);
    // Where the port has no TLS, the listener after this one makes the parser.
    this.allowHead(socket);
    guards.set(socket, this);
    socket.once('close', () => {
      this.#open.delete(socket);
      // The parser goes in this turn of the event loop; connections are accepted in the next one.
      if (isLarge) setImmediate(() => this.#largeHeads--);
    });
    if (this.#open.size <= connections * (1 - FREE_PLACES)) return;
    const isIdle = ({ unanswered }: Connection) => unanswered === 0;
    // Next to those without a request come those that do not take their answers.
    if (!this.#closeOne(isIdle)) this.#closeOne(({ answer }) => answer?.writableEnded === true);
  }

  /** Closes the longest idle connection of the peer with the most connections. An incomplete head is no request. */
  #closeOne(among: (connection: Connection) => boolean): boolean {
    const counts = new Map<string, number>();
    for (const { peer, socket } of this.#open.values()) {
      if (!socket.destroyed) counts.set(peer, (counts.get(peer) ?? 0) + 1);
    }
    let idlest: Connection | undefined;
    let most = 0;
    for (const connection of this.#open.values()) {
      if (connection.socket.destroyed || !among(connection)) continue;
      const count = counts.get(connection.peer) ?? 0;
      const isBefore = idlest === undefined || connection.idleSince < idlest.idleSince;
      if (count < most || (count === most && !isBefore)) continue;
      most = count;
      idlest = connection;
    }
    idlest?.socket.destroy();
    return idlest !== undefined;
  }
}

/** As Node's parser counts them against the largest head. */
function headBytesOf({ url = '', rawHeaders }: IncomingMessage): number {
  let bytes = url.length;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}

/**
 * Node keeps up to 1,000 parsers of closed connections for new ones, each with what it copied of the last heads: memory that
 * belongs to no connection. Its own setting (`setMaxIdleHTTPParsers`) allows no less than one, which is handed on.
 */
function keepNoParsers(): void {
  const internals = process.getBuiltinModule('_http_common') as unknown as { parsers: { max: number } };
  internals.parsers.max = 0;
}
