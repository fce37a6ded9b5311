import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from '@largepayload/testing/processes/program';
import type { Cluster } from '../../cluster/provider.ts';

export type ApiCall = 'list' | 'watch' | 'get' | 'write';
const EVERY_CALL: readonly ApiCall[] = ['list', 'watch', 'get', 'write'];

/** What can go wrong, and with which calls. */
export const API_FAULTS = {
  error500: EVERY_CALL,
  /** 429, to be tried again in a second */
  tooManyRequests: EVERY_CALL,
  /** the connection is reset before anything is done */
  reset: EVERY_CALL,
  /** the call is taken and never answered */
  hang: EVERY_CALL,
  /** the connection is reset after it was done */
  loseReply: ['write'],
  /** the answer breaks off in its middle */
  truncate: ['list'],
  /** 410: where the watch begins, or goes on, is too long ago */
  gone: ['watch'],
  /** the connection is reset in the middle of a watch */
  cutWatch: ['watch'],
  /** nothing comes any more, and the connection stays */
  stallWatch: ['watch'],
  /** a watch ends within a line */
  halfLine: ['watch'],
} as const satisfies Record<string, readonly ApiCall[]>;

export type ApiFault = keyof typeof API_FAULTS;

/** ms after which at most a watch goes wrong */
const LONGEST_WATCH = 5_000;

/** Plain HTTP before the cluster's API server, with all rights, which does to calls what it is told to. */
export class ApiProxy {
  /** how often each fell on a call */
  readonly faults = new Map<ApiFault, number>();
  readonly #upstream: Program;
  readonly #upstreamPort: number;
  readonly #server: Server;
  /** ms, monotonic, of each call */
  readonly #calls: number[] = [];
  readonly #watches = new Set<Socket>();
  #probability = 0;

  private constructor(upstream: Program, port: number) {
    this.#upstream = upstream;
    this.#upstreamPort = port;
    this.#server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (incoming, response) => {
      this.#handle(incoming, response).catch(() => incoming.socket.resetAndDestroy());
    });
  }

  static async start(cluster: Cluster): Promise<ApiProxy> {
    // It has the credentials, whatever they are.
    const { program, greeting } = await Program.start(
      {
        name: 'kubectl proxy',
        ...cluster.command('kubectl', ['proxy', '--port=0']),
        env: cluster.environment,
      },
      (line) => /serve on 127\.0\.0\.1:(\d+)/.exec(line)?.[1],
    );
    const proxy = new ApiProxy(program, Number(greeting));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on one of the faults falls on each call with that probability; watches that are under way are broken first. */
  inject(probability: number): void {
    this.#probability = probability;
    for (const socket of this.#watches) socket.resetAndDestroy();
  }

  /** No more faults. What hangs by then goes on hanging. */
  heal(): void {
    this.#probability = 0;
  }

  /** Calls made in each second since a moment, of the monotonic clock. */
  callsPerSecond(since: number): number[] {
    const seconds: number[] = Array.from(
      { length: Math.floor((performance.now() - since) / 1_000) },
      () => 0,
    );
    for (const at of this.#calls) {
      const index = Math.floor((at - since) / 1_000);
      if (index >= 0 && index < seconds.length) seconds[index] = (seconds[index] ?? 0) + 1;
    }
    return seconds;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#upstream.stop();
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#calls.push(performance.now());
    const fault = this.#decide(callOf(incoming));
    if (fault !== undefined) this.faults.set(fault, this.#count(fault) + 1);
    switch (fault) {
      case 'error500':
        return answer(response, 500, 'InternalError', 'an error of the proxy');
      case 'tooManyRequests':
        return answer(response.setHeader('Retry-After', '1'), 429, 'TooManyRequests', 'too many requests');
      case 'reset':
        return void incoming.socket.resetAndDestroy();
      case 'hang':
        return void incoming.resume();
      case 'gone':
        return await answerGone(response);
      case 'halfLine':
        return void response.writeHead(200, JSON_BODY).end('{"type":"MODIFIED","object":{"kind":');
      default:
        return await this.#forward(incoming, response, fault);
    }
  }

  #decide(call: ApiCall): ApiFault | undefined {
    if (Math.random() >= this.#probability) return undefined;
    const kinds = (Object.keys(API_FAULTS) as ApiFault[]).filter((kind) => {
      const concerned: readonly ApiCall[] = API_FAULTS[kind];
      return concerned.includes(call);
    });
    // The one that has fallen least often: all of them do, however few calls there are.
    return kinds.reduce((least, kind) => (this.#count(kind) < this.#count(least) ? kind : least));
  }

  #count(fault: ApiFault): number {
    return this.faults.get(fault) ?? 0;
  }

  async #forward(incoming: IncomingMessage, response: ServerResponse, fault: ApiFault | undefined) {
    const { method, url, headers } = incoming;
    const host = `127.0.0.1:${this.#upstreamPort}`;
    const options = {
      port: this.#upstreamPort,
      path: url,
      method,
      headers: { ...headers, host },
      agent: false,
    };
    const outgoing = request({ ...options, host: '127.0.0.1' });
    response.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
    const [message] = (await once(outgoing, 'response')) as [IncomingMessage];
    message.on('error', () => incoming.socket.resetAndDestroy());
    const { socket } = incoming;
    if (fault === 'loseReply') return void message.resume().once('end', () => socket.resetAndDestroy());
    response.writeHead(message.statusCode ?? 0, message.headers);
    if (fault === 'truncate') {
      response.write((await message.toArray())[0]?.subarray(0, 100), () => socket.resetAndDestroy());
      return;
    }
    response.flushHeaders();
    message.pipe(response);
    if (callOf(incoming) === 'watch') {
      this.#watches.add(socket);
      response.once('close', () => this.#watches.delete(socket));
    }
    if (fault !== 'cutWatch' && fault !== 'stallWatch') return;
    await sleep(Math.random() * LONGEST_WATCH);
    if (fault === 'cutWatch') socket.resetAndDestroy();
    else message.unpipe(response).resume();
  }
}

const JSON_BODY = { 'Content-Type': 'application/json' };

function callOf({ method, url = '' }: IncomingMessage): ApiCall {
  if (method !== 'GET') return 'write';
  const { pathname, searchParams } = new URL(url, 'http://any');
  if (searchParams.get('watch') === 'true') return 'watch';
  return searchParams.has('limit') || pathname.endsWith('s') ? 'list' : 'get';
}

function answer(response: ServerResponse, status: number, reason: string, message: string): void {
  response.writeHead(status, JSON_BODY).end(statusOf(status, reason, message));
}

async function answerGone(response: ServerResponse): Promise<void> {
  response.writeHead(200, JSON_BODY).flushHeaders();
  await sleep(Math.random() * LONGEST_WATCH);
  const object = statusOf(410, 'Expired', 'too old resource version');
  response.end(`{"type":"ERROR","object":${object}}\n`);
}

function statusOf(code: number, reason: string, message: string): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
}
