import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectByTls } from 'node:tls';
import type { Answer } from '../service/http-call.ts';
import { within } from '../waiting/eventually.ts';

const ANSWER_LIMIT = 30_000;

/** A TCP connection that sends any bytes, also those that no HTTP library would send, and parses the answers. */
export class RawConnection implements AsyncDisposable {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #changed: () => void = () => {};
  #ended = false;
  /** why the connection broke; `undefined` while it did not */
  failure: Error | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#changed();
    });
    socket.on('error', (error) => {
      this.failure = error;
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#changed();
      });
    }
  }

  /**
   * @param address `HOST:PORT`
   * @param options `allowHalfOpen`: sending goes on after the peer has ended its side. `tls`: the bytes go over TLS
   */
  static async open(
    address: string,
    { allowHalfOpen = false, tls }: { allowHalfOpen?: boolean; tls?: ConnectionOptions } = {},
  ): Promise<RawConnection> {
    const { hostname, port } = new URL(`http://${address}`);
    const target = { host: hostname, port: Number(port), allowHalfOpen };
    const socket = tls === undefined ? connect(target) : connectByTls({ ...target, ...tls });
    const event = tls === undefined ? 'connect' : 'secureConnect';
    await new Promise<void>((resolve, reject) => socket.once(event, resolve).once('error', reject));
    socket.removeAllListeners('error');
    return new RawConnection(socket);
  }

  get received(): Buffer {
    return this.#received;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves when the kernel has the bytes, or the connection is gone. */
  send(data: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (!this.socket.writable) return resolve();
      this.socket.write(data, () => resolve());
    });
  }

  sendHead(requestLine: string, headers: Readonly<Record<string, string>>): Promise<void> {
    return this.send(headText(requestLine, headers));
  }

  /** The next complete answer; the bytes after it stay for the one that follows. */
  async answer(limit = ANSWER_LIMIT): Promise<Answer> {
    await within(
      limit,
      'a complete answer',
      this.#until(() => this.#parse() !== undefined),
    );
    const parsed = this.#parse();
    if (parsed === undefined) {
      const reason = this.failure?.message ?? 'ended';
      throw new Error(`connection ${reason} after ${this.#received.length} bytes: ${this.#excerpt()}`);
    }
    this.#received = this.#received.subarray(parsed.length);
    return parsed.answer;
  }

  /** Resolves once the peer has closed or broken the connection. */
  async closed(limit = ANSWER_LIMIT): Promise<void> {
    await within(
      limit,
      'the end of the connection',
      this.#until(() => this.#ended),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done() && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  #parse(): { answer: Answer; length: number } | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [statusLine = '', ...lines] = this.#received.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 2),
      ]),
    );
    const length = end + 4 + (status < 200 ? 0 : Number(headers['content-length'] ?? 0));
    if (this.#received.length < length) return undefined;
    return {
      answer: { status, headers, body: Buffer.from(this.#received.subarray(end + 4, length)) },
      length,
    };
  }

  #excerpt(): string {
    return JSON.stringify(this.#received.subarray(0, 200).toString('latin1'));
  }
}

/** A request head; `Host` is added unless given. */
export function headText(requestLine: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries({ Host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${requestLine}\r\n${lines.join('')}\r\n`;
}
