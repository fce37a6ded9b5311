import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { type Fault, FaultDecisions, type FaultRule } from './fault-rules.ts';
import { type Backend, forward } from './forward.ts';
import { Observations } from './observations.ts';
import { deletePart, ownClient } from './partial-delete.ts';
import { answerError } from './s3-answers.ts';
import { operationOf } from './s3-request.ts';

const LOOPBACK = '127.0.0.1';

/** A reverse proxy before an S3 server on loopback. Its rules decide which requests meet which faults. */
export class FaultyServer {
  readonly observations = new Observations();
  readonly #decisions: FaultDecisions;
  readonly #backend: Backend;
  readonly #client: S3Client;
  #server: Server;
  #port = 0;

  constructor(endpoint: string, seed: number) {
    const { hostname, port } = new URL(endpoint);
    // Idle connections end before the backend closes them, since a closed connection would be a fault without a rule.
    const agent = new Agent({ keepAlive: true, timeout: 2_000 });
    this.#backend = { host: hostname, port: Number(port), agent };
    this.#client = ownClient(endpoint);
    this.#decisions = new FaultDecisions(seed);
    this.#server = this.#newServer();
  }

  /** On the same port each time. @returns HOST:PORT */
  async listen(): Promise<string> {
    this.#server = this.#newServer();
    this.#server.listen(this.#port, LOOPBACK);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
    return `${LOOPBACK}:${this.#port}`;
  }

  setRules(rules: readonly FaultRule[]): void {
    this.#decisions.setRules(rules, performance.now());
  }

  /** Breaks all connections, and takes none for so many ms. */
  async refuse(milliseconds: number): Promise<void> {
    this.observations.fault('refused');
    const closed = once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await closed;
    await sleep(milliseconds);
    await this.listen();
  }

  #newServer(): Server {
    // Longer than any client keeps a connection, so that only clients close them.
    const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0, headersTimeout: 0 });
    const handle = (incoming: IncomingMessage, response: ServerResponse) => {
      const { socket } = incoming;
      this.#handle(incoming, response).catch((error) => {
        console.error(error);
        socket.destroy();
      });
    };
    return server.on('request', handle).on('checkContinue', handle);
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming;
    const operation = operationOf(method, url);
    response.once('close', this.observations.begin(operation, new URL(url, 'http://any').pathname));
    const fault = this.#decisions.decide(operation, performance.now());
    if (fault !== undefined) this.observations.fault(fault.rule.kind);
    if (fault !== undefined && (await this.#answers(fault, incoming, response))) return;
    await forward({ incoming, response }, this.#backend, fault);
  }

  /** Whether the fault itself has answered the request, so that it is not forwarded. */
  async #answers(
    { rule, share }: Fault,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    const { kind, retryAfter } = rule;
    if (kind === 'partialDelete') {
      await deletePart(incoming, response, this.#client, share);
      return true;
    }
    const answer = ANSWERS[kind];
    if (answer === undefined && kind !== 'blackHole') return false;
    incoming.resume();
    if (answer !== undefined) answerError(response, answer.status, { ...answer, retryAfter });
    return true;
  }
}

const ANSWERS: Partial<Record<string, { status: number; code: string; message: string }>> = {
  error500: { status: 500, code: 'InternalError', message: 'We encountered an internal error.' },
  slowDown: { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' },
  conflict: {
    status: 409,
    code: 'ConditionalRequestConflict',
    message: 'A conflicting operation occurred during this one.',
  },
};
