import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Access } from './http-exchange.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Script = (asked: Asked, response: ServerResponse) => unknown;

/** An API server that answers as the test says, for what a real one does not do when asked. */
export interface ScriptedServer extends AsyncDisposable {
  readonly access: Access;
  /** the requests so far */
  readonly asked: readonly Asked[];
  /** connections so far */
  readonly connections: number;
  /** Connections that are open. */
  open(): Promise<number>;
  /** Breaks every connection off. */
  breakOff(): void;
}

export async function scriptedServer(script: Script): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const failures: unknown[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    try {
      const url = new URL(request.url ?? '', 'http://server');
      const body = Buffer.concat(await request.toArray()).toString();
      const { method = '', headers } = request;
      const one = { method, path: url.pathname, query: url.searchParams, headers, body };
      asked.push(one);
      await script(one, response);
    } catch (error) {
      // A client that leaves is part of some tests.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') failures.push(error);
      response.destroy();
    }
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    access: { url, options: async () => ({}) },
    asked,
    get connections() {
      return connections;
    },
    open: () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    breakOff: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      if (failures.length > 0) throw failures[0];
    },
  };
}

export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** An answer as the API server refuses with. */
export function refuse(response: ServerResponse, code: number, reason: string, headers = {}) {
  answer(response, code, statusOf(code, reason), headers);
}

export function statusOf(code: number, reason: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `it is ${reason}`, reason, code };
}

/** As a line of a watch. */
export function line(type: string, object: unknown): string {
  return `${JSON.stringify({ type, object })}\n`;
}
