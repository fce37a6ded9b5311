import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server that can go wrong. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections are refused, and those that were open are reset. */
  cut(): void;
  /** No more bytes pass, and no connection ends. New connections hang too. */
  hang(): void;
  /** New connections pass again; those that hung are reset. */
  heal(): void;
}

export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let state: 'whole' | 'cut' | 'hanging' = 'whole';
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    return socket;
  };
  const resetAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server = createServer((near) => {
    keep(near);
    if (state === 'cut') return near.resetAndDestroy();
    if (state === 'hanging') return near.pause();
    const far = keep(connect(targetPort, '127.0.0.1'));
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      state = 'cut';
      resetAll();
    },
    hang() {
      state = 'hanging';
      for (const socket of sockets) socket.unpipe().pause();
    },
    heal() {
      if (state === 'hanging') resetAll();
      state = 'whole';
    },
    async [Symbol.asyncDispose]() {
      server.close();
      resetAll();
    },
  };
}
