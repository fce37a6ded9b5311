import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createSecureServer, TLSSocket, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import { exchange } from './exchange.ts';
import { type HttpAgents, httpAgents } from './http-agents.ts';
import type { Limits } from './limits.ts';
import type { TransportOptions, TransportRequest } from './transport.ts';

/** One connection to the server. */
export interface RawConnection {
  readonly socket: Socket;
  /** the heads of the requests so far */
  readonly requests: string[];
  /** whether its handshake took up an earlier session */
  readonly isResumed: boolean;
}

/** Called for the head of each request. */
export type RawScript = (connection: RawConnection, head: string) => unknown;

export interface RawServer {
  readonly port: number;
  readonly connections: readonly RawConnection[];
  /** how many connections are open */
  open(): number;
  stop(): Promise<void>;
}

/** A server that sends what the test says, byte for byte. It ends with the test. */
export async function rawServer(script: RawScript, tls?: TlsOptions, port = 0): Promise<RawServer> {
  const connections: RawConnection[] = [];
  const serve = (socket: Socket) => {
    const isResumed = socket instanceof TLSSocket && socket.isSessionReused();
    const connection = { socket, requests: [] as string[], isResumed };
    connections.push(connection);
    socket
      .on('error', () => {})
      .on('data', (data) => {
        const text = data.toString('latin1');
        if (!/^(GET|HEAD|PUT) /.test(text)) return;
        connection.requests.push(text);
        script(connection, text);
      });
  };
  const server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    for (const { socket } of connections) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  onTestFinished(stop);
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    stop,
    open: () => connections.filter(({ socket }) => !socket.destroyed).length,
  };
}

/** A client of the server that ends with the test. */
export function clientOf(
  { port }: { readonly port: number },
  limits: Partial<Limits> = {},
  caBundle?: string,
) {
  const agents: HttpAgents = httpAgents(caBundle, limits);
  onTestFinished(() => agents.close());
  const protocol = caBundle === undefined ? 'http:' : 'https:';
  return {
    agents,
    ask: (options: TransportOptions = {}, changes: Partial<TransportRequest> = {}) =>
      exchange(
        agents,
        { protocol, hostname: 'localhost', port, method: 'GET', path: '/', headers: {}, ...changes },
        options,
      ),
  };
}

/** An answer with this body. */
export function answerWith(body: string | Buffer, headers = '', status = 200): Buffer {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} X\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`),
    bytes,
  ]);
}
