import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createSecureServer, TLSSocket, type TlsOptions } from 'node:tls';
import type { HostileAnswer } from './answer-bytes.fixture.ts';
import { hostileAnswer } from './hostile-answers.fixture.ts';

/** A server that plays the answer of the number in the path of each request, `/NUMBER`. */
export async function hostileServer(seed: number, tls?: TlsOptions) {
  /** with the kind of the last answer */
  const sockets = new Map<Socket, string>();
  const serve = (socket: Socket) => {
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    sockets.set(socket, 'no answer yet');
    const onAnswer = ({ kind }: HostileAnswer) => sockets.set(socket, kind);
    serveConnection(socket, seed, onAnswer).catch(() => socket.destroy());
  };
  const server: Server =
    tls === undefined
      ? createServer({ noDelay: true }, serve)
      : createSecureServer({ ...tls, noDelay: true }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    /** what each open one is doing */
    connections: () =>
      [...sockets].map(
        ([socket, kind]) =>
          `"${kind}" (${socket.writableLength} bytes to write, ended: ${socket.readableEnded}, paused: ${socket.isPaused()})`,
      ),
    close: () => {
      for (const socket of sockets.keys()) socket.destroy();
      server.close();
    },
  };
}

async function serveConnection(
  socket: Socket,
  seed: number,
  onAnswer: (answer: HostileAnswer) => void,
): Promise<void> {
  for await (const answer of requestsOf(socket, seed)) {
    onAnswer(answer);
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
  let received: Buffer = Buffer.alloc(0);
  // of the body of the last request, and of that of the request whose turn comes after it
  let skip = 0;
  let awaited: HostileAnswer | undefined;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    for (;;) {
      const skipped = Math.min(skip, received.length);
      received = received.subarray(skipped);
      skip -= skipped;
      if (skip > 0) break;
      if (awaited !== undefined) {
        yield awaited;
        awaited = undefined;
      }
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) break;
      const text = received.toString('latin1', 0, end);
      received = received.subarray(end + 4);
      const answer = hostileAnswer(seed, Number(/^[A-Z]+ \/(\d+) /.exec(text)?.[1]));
      if (/\r\nexpect: 100-continue/i.test(text)) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      skip = answer.requestSize;
      if (answer.isEarly) yield answer;
      else awaited = answer;
    }
  }
}
