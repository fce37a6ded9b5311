import { badAnswer, NOT_HTTP } from './errors.ts';

/** Bytes. Node's own client has the same limit. */
const LARGEST_HEAD = 16 * 1024;
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const BEGIN_OF_ANSWER = 'HTTP/1.';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** RFC 9110, 5.1 and 5.5: a token, and a value without control characters. A line that begins with a space (obsolete folding) is none. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;

export interface AnswerHead {
  readonly statusCode: number;
  /** names in lower case; repeated ones are joined by `, ` */
  readonly headers: Record<string, string>;
  /** whether the service takes another request on the connection, by this head */
  readonly keepsConnection: boolean;
}

/**
 * The head of an answer by RFC 9112, without its tolerance: no folded lines, no bare CR or LF, no space before a colon.
 * @param text the head up to its empty line, as Latin-1
 * @throws Error of `badAnswer`, or with the code `NOT_HTTP`
 */
export function parseHead(text: string): AnswerHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, minor, status] = STATUS_LINE.exec(statusLine) ?? [];
  if (status === undefined) throw notHttp(statusLine);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value = ''] = FIELD.exec(line) ?? [];
    if (name === undefined) throw badAnswer('an answer with a malformed header');
    addHeader(headers, name.toLowerCase(), value.trimEnd());
  }
  const connection = headers.connection?.toLowerCase() ?? '';
  const keepsConnection = minor === '1' && !connection.split(/[\t ]*,[\t ]*/).includes('close');
  return { statusCode: Number(status), headers, keepsConnection };
}

function addHeader(headers: Record<string, string>, name: string, value: string): void {
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
  headers[name] = before === undefined ? value : `${before}, ${value}`;
}

function notHttp(line: string): Error {
  const text = JSON.stringify(line.slice(0, 40));
  if (line.startsWith(BEGIN_OF_ANSWER)) return badAnswer(`an answer that begins with ${text}`);
  return Object.assign(new Error(`an answer that begins with ${text}`), { code: NOT_HTTP });
}

/** We close an unused connection this much earlier than the service does, since both may count from different moments. ms */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** How long (ms) the connection can be kept without requests, if the service says so: `Keep-Alive: timeout=5` */
export function keptMsOf({ headers }: AnswerHead): number {
  const [, seconds] = /(?:^|[,\s])timeout=([0-9]{1,6})(?:[,\s]|$)/i.exec(headers['keep-alive'] ?? '') ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1_000 - KEEP_ALIVE_MARGIN_MS;
}

/** Gathers a head that arrives in pieces. */
export class HeadReader {
  #bytes: Buffer | undefined;
  #length = 0;

  get hasBegun(): boolean {
    return this.#length > 0;
  }

  /**
   * @param bytes the next ones; they are copied, not kept
   * @returns the head and the bytes behind it; `undefined`: it is not whole yet
   * @throws as `parseHead`, and for a head of more than 16 KiB
   */
  take(bytes: Buffer): { head: AnswerHead; rest: Buffer } | undefined {
    const before = this.#length;
    const gathered = this.#gather(bytes);
    const end = gathered.indexOf(END_OF_HEAD, Math.max(0, before - 3));
    if (end > LARGEST_HEAD || (end < 0 && gathered.length > LARGEST_HEAD))
      throw badAnswer(`an answer with a head of more than ${LARGEST_HEAD} bytes`);
    if (end < 0) return this.#keep(bytes, before);
    const head = parseHead(gathered.toString('latin1', 0, end));
    this.#length = 0;
    return { head, rest: bytes.subarray(end + END_OF_HEAD.length - before) };
  }

  #gather(bytes: Buffer): Buffer {
    if (this.#length === 0) return bytes;
    const kept = this.#bytes as Buffer;
    const room = Math.min(bytes.length, kept.length - this.#length);
    bytes.copy(kept, this.#length, 0, room);
    return kept.subarray(0, this.#length + room);
  }

  #keep(bytes: Buffer, before: number): undefined {
    if (before === 0) {
      // Bytes that cannot begin an answer are refused at once, and not only when a whole head has arrived.
      const begin = bytes.toString('latin1', 0, BEGIN_OF_ANSWER.length);
      if (!BEGIN_OF_ANSWER.startsWith(begin)) throw notHttp(begin);
      this.#bytes = Buffer.allocUnsafe(LARGEST_HEAD + END_OF_HEAD.length);
      bytes.copy(this.#bytes);
    }
    this.#length = before + bytes.length;
    return undefined;
  }
}
