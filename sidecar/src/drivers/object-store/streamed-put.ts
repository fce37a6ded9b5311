import type { ByteSink, ByteSource } from '../../bytes/byte-streams.ts';
import type { PutOutcome, WriteSteps } from '../../bytes/object-writer.ts';
import { Pieces } from '../../bytes/pieces.ts';

/** A piece that the request has to take, and what ends the wait for that. */
interface Offer {
  readonly piece: Buffer;
  readonly taken: () => void;
  readonly failed: (reason: unknown) => void;
}

/**
 * Sends a body as it is written, by a request that runs from the beginning on and reads it here, piece by piece. The last
 * piece waits for the commit, so that an aborted object is never whole at the service. The request may end before it has read
 * everything; its outcome then decides whether the rest is needed.
 */
export class StreamedPut implements WriteSteps, ByteSource {
  /** Whether the request has begun to read: from then on the bytes cannot be sent again. */
  begun = false;
  readonly #size: number;
  readonly #pieces: Pieces;
  readonly #stop = new AbortController();
  readonly #outcome: Promise<PutOutcome>;
  #over: { readonly failure?: unknown } | undefined;
  #offer: Offer | undefined;
  /** Wakes the reader. */
  #wake = () => {};

  /**
   * @param size bytes, at least one
   * @param put may resolve with `existed` before it has read the body
   */
  constructor(
    size: number,
    signal: AbortSignal,
    put: (body: StreamedPut, signal: AbortSignal) => Promise<PutOutcome>,
  ) {
    this.#size = size;
    this.#pieces = new Pieces(size, (piece) => this.#handOn(piece));
    this.#outcome = put(this, AbortSignal.any([signal, this.#stop.signal]));
    this.#outcome.then(
      () => this.#end({}),
      (failure) => this.#end({ failure }),
    );
  }

  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#over === undefined) return this.#pieces.write(chunk);
    if ('failure' in this.#over) throw this.#over.failure;
    return undefined;
  }

  async commit(): Promise<PutOutcome> {
    const given = this.#over === undefined ? this.#pieces.end() : undefined;
    given?.catch(() => {});
    const outcome = await this.#outcome;
    await given;
    // The service has said that it has all bytes, so nothing reads them any more.
    if (outcome === 'created') this.#pieces.release();
    return outcome;
  }

  /** Ends the request in the middle of its body, so that the service sees an object that is not whole. */
  async abort(reason: unknown): Promise<void> {
    this.#stop.abort(reason);
    this.#end({ failure: reason });
    await this.#outcome;
  }

  async readInto(sink: ByteSink): Promise<void> {
    this.begun = true;
    for (let read = 0; read < this.#size; ) {
      const { piece, taken } = this.#offer ?? (await this.#nextOffer());
      await sink.write(piece);
      read += piece.length;
      this.#offer = undefined;
      taken();
    }
  }

  async #nextOffer(): Promise<Offer> {
    while (this.#offer === undefined) {
      if (this.#over !== undefined) throw this.#over.failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#offer;
  }

  /** Resolves when the request has taken the piece, or needs it no more. */
  async #handOn(piece: Buffer): Promise<void> {
    if (this.#over !== undefined) return this.#afterEnd();
    await new Promise<void>((taken, failed) => {
      this.#offer = { piece, taken, failed };
      this.#wake();
    });
  }

  #afterEnd(): void {
    if (this.#over !== undefined && 'failure' in this.#over) throw this.#over.failure;
  }

  #end(outcome: { readonly failure?: unknown }): void {
    this.#over ??= outcome;
    if ('failure' in this.#over) this.#offer?.failed(this.#over.failure);
    else this.#offer?.taken();
    this.#wake();
  }
}
