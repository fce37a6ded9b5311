import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { errorMonitor } from 'node:events';
import type { ClientRequest } from 'node:http';

/** A request of the watched work, and its outcome so far. */
export interface AskedServer {
  readonly url: URL;
  readonly status: number | undefined;
  /** of the network, such as `ECONNREFUSED`; else empty */
  readonly code: string;
}

/**
 * Sees the HTTP requests and programs that a piece of work starts, also in libraries. The SDK's sources of credentials have
 * clients of their own: these do not tell which server they asked, and some wait for an answer without a limit.
 */
export class RequestWatch {
  readonly #requests: ClientRequest[] = [];
  readonly #programs: ChildProcess[] = [];
  #status: number | undefined;
  #code = '';

  run<T>(work: () => Promise<T>): Promise<T> {
    return running.run(this, work);
  }

  get ranProgram(): boolean {
    return this.#programs.length > 0;
  }

  /** The last request, if there was any. */
  get last(): AskedServer | undefined {
    const request = this.#requests.at(-1);
    if (request === undefined) return undefined;
    const host = String(request.getHeader('host') ?? request.host);
    const [path = '/'] = request.path.replace(/^https?:\/\/[^/]*/, '').split('?');
    return { url: new URL(`${request.protocol}//${host}${path}`), status: this.#status, code: this.#code };
  }

  /** Ends what is still in progress. */
  end(reason: Error): void {
    for (const request of this.#requests) request.destroy(reason);
    for (const program of this.#programs) program.kill();
  }

  noteProgram(program: ChildProcess): void {
    this.#programs.push(program);
  }

  noteRequest(request: ClientRequest): void {
    this.#requests.push(request);
    this.#status = undefined;
    this.#code = '';
    const failed = (code: string) => {
      if (this.#requests.at(-1) === request) this.#code ||= code;
    };
    request.once('response', ({ statusCode }) => {
      if (this.#requests.at(-1) === request) this.#status = statusCode;
    });
    // After a timeout the client destroys the request with an error that does not name the timeout.
    request.once('timeout', () => failed('ETIMEDOUT'));
    request.once(errorMonitor, (error: NodeJS.ErrnoException) => failed(error.code ?? error.name));
  }
}

const running = new AsyncLocalStorage<RequestWatch>();

subscribe('http.client.request.created', (message) =>
  running.getStore()?.noteRequest((message as { request: ClientRequest }).request),
);
subscribe('child_process', (message) =>
  running.getStore()?.noteProgram((message as { process: ChildProcess }).process),
);
