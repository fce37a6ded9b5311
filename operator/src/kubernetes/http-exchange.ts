import { type IncomingMessage, request as plainRequest } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';

/** Address of the API server, and credentials. */
export interface Access {
  /** without a slash at its end */
  readonly url: string;
  /** Agent with the TLS settings, and headers that authenticate. Called for each request, as tokens are rotated. */
  options(): Promise<RequestOptions>;
}

export interface HttpRequest {
  readonly method: string;
  /** with its query */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Resolves with the head of the answer. The signal ends the request, and its body, at any time. */
export async function send(
  access: Access,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const options = await access.options();
  signal.throwIfAborted();
  const { method, path, headers, body } = request;
  const url = new URL(access.url + path);
  const outgoing = (url.protocol === 'https:' ? secureRequest : plainRequest)(url, {
    ...options,
    method,
    headers: { ...options.headers, ...headers, ...lengthOf(body) },
  });
  let incoming: IncomingMessage | undefined;
  const onAbort = () => (incoming ?? outgoing).destroy(signal.reason);
  signal.addEventListener('abort', onAbort);
  outgoing.once('close', () => signal.removeEventListener('abort', onAbort));
  return await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', (message) => {
      incoming = message;
      // The reader of the body gets the error, too; without a listener here an early error would end the process.
      message.on('error', () => {});
      resolve(message);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function lengthOf(body: string | undefined): Record<string, string> {
  return body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
}

/** The whole body. @throws TooLargeError above `largest` bytes; the rest is not read */
export async function collect(message: IncomingMessage, largest: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new TooLargeError(`the answer has more than ${largest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export class TooLargeError extends Error {
  static {
    TooLargeError.prototype.name = 'TooLargeError';
  }
}
