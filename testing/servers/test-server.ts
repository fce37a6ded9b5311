import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

/** A server on loopback that disappears, connections included, at the end of an `await using` scope. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** Connections accepted so far. */
  readonly connections: readonly Socket[];
}

// A metadata header may be longer than the 16 KiB of headers that Node takes by default.
const LIMITS = { maxHeaderSize: 1024 * 1024 };

/** An HTTP server with this listener. */
export function httpServer(listener: RequestListener): Promise<TestServer> {
  return started(createHttpServer(LIMITS, listener));
}

/** An HTTP server over TLS; its certificate can be replaced for new connections. */
export interface TlsTestServer extends TestServer {
  useCertificate(tls: SecureContextOptions): void;
}

export async function httpsServer(
  tls: SecureContextOptions,
  listener: RequestListener,
): Promise<TlsTestServer> {
  const server = createHttpsServer({ ...LIMITS, ...tls }, listener);
  const useCertificate = (other: SecureContextOptions) => server.setSecureContext(other);
  return Object.assign(await started(server, 'https'), { useCertificate });
}

/**
 * A TCP server for answers that no HTTP library would write. `answer` is called once for each connection, when the
 * first bytes of a request have arrived; it may read on or not.
 */
export function rawServer(answer: (socket: Socket) => void): Promise<TestServer> {
  return started(
    createServer((socket) => {
      socket.once('data', () => {
        socket.pause();
        answer(socket);
      });
    }),
  );
}

/** The head of an answer, ended by its blank line. */
export function head(status: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}

async function started(server: Server, protocol = 'http'): Promise<TestServer> {
  const connections: Socket[] = [];
  server.on('connection', (socket) => {
    connections.push(socket);
    // Tests break connections on purpose.
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
