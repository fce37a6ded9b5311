import type { ServerResponse } from 'node:http';
import type { ByteSink, ByteSource } from '../bytes/byte-streams.ts';
import { ServiceError } from '../errors/service-error.ts';
import type { Transfer } from '../http/transfer-watch.ts';

/** A peer that we have waited for this long counts as slow. ms */
const SLOW_AGE = 500;
const SMALL_PIECE = 64 * 1024;

/**
 * Sends a payload of `size` bytes as the answer. The head goes out only with the first verified bytes, so that a damaged small
 * payload still answers 502.
 * @param begin called before the head goes out
 * @throws ServiceError `body_incomplete` when the client leaves; what the payload throws
 */
export async function sendBlob(
  payload: ByteSource & { readonly size: number },
  response: ServerResponse,
  transfer: Transfer,
  begin: () => void,
): Promise<void> {
  const sink = new AnswerSink(response, payload.size, transfer, begin);
  await payload.readInto(sink);
  if (payload.size === 0) sink.end();
}

class AnswerSink implements ByteSink {
  readonly #response: ServerResponse;
  readonly #size: number;
  readonly #transfer: Transfer;
  readonly #begin: () => void;
  #sent = 0;
  #fail: ((error: ServiceError) => void) | undefined;

  constructor(response: ServerResponse, size: number, transfer: Transfer, begin: () => void) {
    this.#response = response;
    this.#size = size;
    this.#transfer = transfer;
    this.#begin = begin;
    response.once('close', () => this.#fail?.(clientLeft()));
  }

  write(chunk: Buffer): Promise<void> {
    if (this.#sent === 0) this.#sendHead();
    return this.#transfer.age < SLOW_AGE ? this.#send(chunk) : this.#sendSlowly(chunk);
  }

  /** An answer without a body. */
  end(): void {
    this.#sendHead();
    this.#response.end();
  }

  #sendHead(): void {
    this.#begin();
    this.#response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': this.#size,
    });
  }

  /** Resolves when the kernel has taken the piece. Node sends the head with the first one. */
  #send(piece: Buffer): Promise<void> {
    this.#sent += piece.length;
    this.#transfer.wait();
    return new Promise((resolve, reject) => {
      if (this.#response.destroyed) return reject(clientLeft());
      this.#fail = reject;
      const taken = (error?: Error | null) => {
        this.#fail = undefined;
        if (error != null) return reject(clientLeft());
        this.#transfer.moved(piece.length);
        resolve();
      };
      if (this.#sent === this.#size) this.#response.end(piece, taken);
      else this.#response.write(piece, taken);
    });
  }

  /** A slow peer gets small pieces, because its progress shows only when a whole piece is taken. */
  async #sendSlowly(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += SMALL_PIECE)
      await this.#send(chunk.subarray(at, at + SMALL_PIECE));
  }
}

function clientLeft(): ServiceError {
  return new ServiceError('body_incomplete', 'the client left, or took the payload too slowly');
}
