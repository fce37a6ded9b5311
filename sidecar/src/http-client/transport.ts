import type { ByteSource } from '../bytes/byte-streams.ts';

/** A request as it is signed. */
export interface TransportRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly method: string;
  /** with the query, encoded */
  readonly path: string;
  readonly headers: Record<string, string>;
  /** a text, bytes, chunks in memory, or a `ByteSource` of as many bytes as `content-length` says */
  readonly body?: unknown;
}

export interface TransportOptions {
  readonly signal?: AbortSignal | undefined;
  /** until the head of the answer, from the last byte of the request */
  readonly answerLimitMs?: number | undefined;
  /** hand over the body of a successful answer as it arrives */
  readonly streamAnswer?: boolean | undefined;
  /** send it by Node's client, whose requests can be watched */
  readonly byNode?: boolean | undefined;
  /** ask by `Expect: 100-continue` whether the body, a `ByteSource`, is wanted before it is sent, or taken from its source */
  readonly askFirst?: boolean | undefined;
  /** send it on a new connection, as a kept one may lead to a server that is gone */
  readonly freshConnection?: boolean | undefined;
}

export interface TransportAnswer {
  readonly statusCode: number;
  /** names in lower case; repeated ones are joined by `, ` */
  readonly headers: Record<string, string>;
  /** the whole body; an `AnswerBody` for an answer below 300 that was to be streamed */
  readonly body: AnswerBody | Buffer;
  /** whether the whole body had been given to the connection when the answer began */
  readonly sent: boolean;
}

/** Bytes that are still on their way. Reading fails as `exchange` does, and with what the sink throws. */
export interface AnswerBody extends ByteSource {
  /** Resolves when no connection is held for it any more. */
  close(): Promise<void>;
}

/** The bytes of a request's body, and how it is given to the connection. */
export type RequestBody = readonly Buffer[] | ByteSource;
