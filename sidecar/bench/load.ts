import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Payloads that differ in their first bytes only, so that many take the memory of one. */
export interface PayloadSet {
  readonly size: number;
  readonly rest: Buffer;
  readonly items: readonly { readonly start: Buffer; readonly digest: string }[];
}

const START_BYTES = 64;

export function payloadSet(size: number, count: number, seed: string): PayloadSet {
  const rest = Buffer.alloc(size - START_BYTES, 'large payload ');
  const items = Array.from({ length: count }, (_, index) => {
    const start = payloadStart(index, seed);
    const digest = createHash('sha256').update(start).update(rest).digest('hex');
    return { start, digest: `sha256:${digest}` };
  });
  return { size, rest, items };
}

export function payloadStart(index: number, seed: string): Buffer {
  return Buffer.from(`${index}-${seed}`.padEnd(START_BYTES, '.').slice(0, START_BYTES));
}

export interface Exchange {
  readonly head: string;
  readonly body: readonly Buffer[];
}

const METADATA = Buffer.from(
  JSON.stringify({ encoding: Buffer.from('binary/plain').toString('base64') }),
).toString('base64');

/** A PUT of each payload of the set. */
export function putsOf({ items, size, rest }: PayloadSet): Exchange[] {
  const lengths = [`Content-Length: ${size}`, `X-Temporal-Metadata: ${METADATA}`];
  return items.map(({ start, digest }) => {
    const target = `PUT /v2/blobs/put?namespace=bench&digest=${digest}`;
    return { head: headOf(target, lengths), body: [start, rest] };
  });
}

/** A GET of each key, of payloads of one size. */
export function getsOf(keys: readonly string[], size: number): Exchange[] {
  const length = [`X-Payload-Expected-Content-Length: ${size}`];
  return keys.map((key) => ({
    head: headOf(`GET /v2/blobs/get?key=${encodeURIComponent(key)}`, length),
    body: [],
  }));
}

function headOf(target: string, headers: readonly string[]): string {
  return [
    `${target} HTTP/1.1`,
    'Host: bench',
    'Content-Type: application/octet-stream',
    ...headers,
    '',
    '',
  ].join('\r\n');
}

/** The keys that the service answered to PUTs. */
export function keysOf({ answers }: LoadResult): string[] {
  return answers.map(({ text }) => JSON.parse(text).Key);
}

export interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** The body, when it is small enough to be an acknowledgement. */
  readonly text: string;
}

/** One keep-alive connection that costs as little as can be: the server is what is measured. */
export class Connection {
  readonly #port: number;
  #socket: Socket;
  /** The server ends the connection with this answer. */
  #isLast = false;
  #head = '';
  #expected = -1;
  #received = 0;
  #text = '';
  #resolve: ((answer: Answer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#socket = this.#connect();
  }

  #connect(): Socket {
    const socket = connect({
      port: this.#port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.alloc(256 * 1024),
        callback: (length, buffer) => {
          this.#take(buffer.subarray(0, length) as Buffer);
          return true;
        },
      },
    });
    socket.on('error', (error) => this.#failed(socket, error));
    socket.on('close', () => this.#failed(socket, new Error('the server closed the connection')));
    return socket;
  }

  #failed(socket: Socket, error: Error): void {
    if (socket === this.#socket && !this.#isLast) this.#reject?.(error);
  }

  exchange({ head, body }: Exchange): Promise<Answer> {
    if (this.#isLast) {
      this.#isLast = false;
      this.#socket.destroy();
      this.#socket = this.#connect();
    }
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.cork();
      this.#socket.write(head);
      for (const part of body) this.#socket.write(part);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#expected >= 0) {
      this.#takeBody(chunk);
      return;
    }
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.#expected = Number(/content-length: ([0-9]+)/i.exec(this.#head)?.[1] ?? 0);
    this.#takeBody(Buffer.from(this.#head.slice(end + 4), 'latin1'));
  }

  #takeBody(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#expected < 4_096) this.#text += chunk.toString('latin1');
    if (this.#received < this.#expected) return;
    this.#isLast = /connection: close/i.test(this.#head);
    const answer = { status: Number(this.#head.slice(9, 12)), bytes: this.#received, text: this.#text };
    this.#head = '';
    this.#text = '';
    this.#expected = -1;
    this.#received = 0;
    this.#resolve?.(answer);
  }
}

export interface LoadResult {
  readonly seconds: number;
  /** ms of each exchange */
  readonly latencies: readonly number[];
  readonly answers: readonly Answer[];
}

/** Makes all exchanges over `clients` connections, each one after another. @throws Error when an answer is not a success */
export async function runLoad(
  port: number,
  clients: number,
  exchanges: readonly Exchange[],
): Promise<LoadResult> {
  const connections = Array.from({ length: clients }, () => new Connection(port));
  const latencies: number[] = [];
  const answers: Answer[] = new Array(exchanges.length);
  const queue = exchanges.entries();
  const started = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      for (const [index, exchange] of queue) {
        const sent = performance.now();
        const answer = await connection.exchange(exchange);
        latencies.push(performance.now() - sent);
        if (answer.status !== 200 && answer.status !== 201)
          throw new Error(`${answer.status}: ${answer.text}`);
        answers[index] = answer;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  for (const connection of connections) connection.close();
  return { seconds, latencies: latencies.sort((a, b) => a - b), answers };
}
