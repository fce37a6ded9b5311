import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Spreads new connections over servers, in turn, as a Service of Kubernetes does by chance. */
export interface TcpBalancer extends AsyncDisposable {
  readonly port: number;
  /** connections that were accepted so far */
  readonly accepted: number;
  /** Ports of new connections; without any, new connections are refused. */
  use(ports: readonly number[]): void;
  /** Resolves when a client has sent so many bytes on one connection to this port, and lets no more of them pass. */
  holdAfter(port: number, bytes: number): Promise<void>;
}

export async function tcpBalancer(...ports: readonly number[]): Promise<TcpBalancer> {
  const sockets = new Set<Socket>();
  const holds = new Map<number, { bytes: number; reached: () => void }>();
  let targets = ports;
  let accepted = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    return socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    const port = targets[accepted % Math.max(1, targets.length)];
    accepted += 1;
    if (port === undefined) return near.resetAndDestroy();
    const far = keep(connect(port, '127.0.0.1'));
    let passed = 0;
    near.on('data', (chunk) => {
      passed += chunk.length;
      const hold = holds.get(port);
      if (hold !== undefined && passed >= hold.bytes) {
        near.pause();
        holds.delete(port);
        return hold.reached();
      }
      if (!far.write(chunk)) near.pause();
    });
    far.on('drain', () => near.resume());
    far.pipe(near);
    near.once('end', () => far.end());
    near.once('close', () => far.destroy());
    far.once('close', () => near.resetAndDestroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    use(others) {
      targets = others;
    },
    holdAfter: (port, bytes) => new Promise((reached) => void holds.set(port, { bytes, reached })),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
