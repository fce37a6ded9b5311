import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createSecureServer, TLSSocket, type TlsOptions } from 'node:tls';
import type { HostileAnswer } from './answer-bytes.fixture.ts';
import { hostileAnswer } from './hostile-answers.fixture.ts';

/** A server that plays the answer of the number in the path of each request, `/NUMBER`. */
export async function hostileServer(seed: number, tls?: TlsOptions) {
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    serveConnection(socket, seed).catch(() => socket.destroy());
  };
  const server: Server =
    tls === undefined
      ? createServer({ noDelay: true }, serve)
      : createSecureServer({ ...tls, noDelay: true }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function serveConnection(socket: Socket, seed: number): Promise<void> {
  const requests = requestsOf(socket, seed);
  for await (const answer of requests) {
    for (const step of answer.steps) {
      if (typeof step === 'number') await sleep(step);
      else if (socket.destroyed) return;
      else if (!socket.write(step)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
    if (answer.end === 'keep') continue;
    // The end of this loop destroys the socket, so the bytes have to leave before.
    if (answer.end === 'fin') await once(socket.end(), 'finish');
    else if (socket instanceof TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
    return;
  }
}

/** The answers to the requests that arrive, each when its time has come. */
async function* requestsOf(socket: Socket, seed: number): AsyncGenerator<HostileAnswer> {
  let received = Buffer.alloc(0);
  let skip = 0;
  let isContinued = false;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const skipped = Math.min(skip, received.length);
      received = received.subarray(skipped);
      skip -= skipped;
      const end = received.indexOf('\r\n\r\n');
      if (skip > 0 || end < 0) break;
      const text = received.toString('latin1', 0, end);
      const answer = hostileAnswer(seed, Number(/^[A-Z]+ \/(\d+) /.exec(text)?.[1]));
      if (/\r\nexpect: 100-continue/i.test(text) && !isContinued) {
        isContinued = true;
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      }
      if (!answer.isEarly && received.length < end + 4 + answer.requestSize) break;
      isContinued = false;
      received = received.subarray(end + 4);
      skip = answer.requestSize;
      yield answer;
    }
  }
}
