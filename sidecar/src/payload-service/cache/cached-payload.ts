import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import { pieceBytesOf } from '../../bytes/pieces.ts';
import { Verification } from '../../bytes/verified-body.ts';
import type { StoredBlob } from '../../drivers/driver.ts';
import { unlessAborted } from '../../time/unless-aborted.ts';

/**
 * After a write that failed, its connection may still send the bytes until it is closed, so nothing else may be written in their place for
 * this time. ms
 */
const MAY_BE_SENT_MS = 60_000;

/**
 * A payload in memory of the cache, whole or arriving. It is verified as it arrives, and readers get only bytes that were: the
 * last ones are there for them only when size and digest of all are right.
 */
export class CachedPayload {
  readonly size: number;
  /** none once they are given back, so that a late reader gets an error and no bytes of others */
  #parts: readonly Buffer[];
  /** Until all is verified; it has memory of its own. */
  #verification: Verification | undefined;
  readonly #onFree: () => void;
  #arrived = 0;
  #failure: { readonly reason: unknown } | undefined;
  /** What readers wait for, if there are some. */
  #news: PromiseWithResolvers<void> | undefined;
  #readers = 0;
  #isKept = true;
  #isFreed = false;
  /** after a write that failed */
  #mayBeSent: NodeJS.Timeout | undefined;

  /**
   * @param parts memory for it, of its size together
   * @param onFree called once, when nothing needs the memory any more
   */
  constructor(facts: BlobFacts, parts: readonly Buffer[], onFree: () => void) {
    this.size = facts.size;
    this.#parts = parts;
    this.#verification = new Verification(facts);
    this.#onFree = onFree;
  }

  /** Whether its memory is needed, also if the cache drops it. */
  get isInUse(): boolean {
    return this.#readers > 0 || this.#mayBeSent !== undefined;
  }

  /** Copies the next bytes. @throws IntegrityError in place of taking the last bytes of wrong ones */
  take(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#verification?.take(chunk);
    for (let from = 0; from < chunk.length; ) {
      const copied = chunk.copy(this.#memoryAt(this.#arrived), 0, from);
      this.#arrived += copied;
      from += copied;
    }
    this.#tellReaders();
  }

  /** @throws IntegrityError when bytes are missing, or were wrong before */
  assertComplete(): void {
    this.#verification?.assertComplete();
    this.#verification = undefined;
  }

  /** No more bytes arrive: readers that wait for some reject with the reason. */
  fail(reason: unknown): void {
    this.#failure = { reason };
    this.#tellReaders();
  }

  /**
   * The payload for one reader, who reads or closes it.
   * @param signal ends the waiting for bytes that have not arrived
   * @param onClosed called once, when the reader needs it no more
   */
  open(signal: AbortSignal, onClosed = () => {}): StoredBlob {
    this.#readers += 1;
    let isOpen = true;
    const close = async () => {
      if (!isOpen) return;
      isOpen = false;
      this.#readers -= 1;
      this.#freeIfUnused();
      onClosed();
    };
    const readInto = (sink: ByteSink) => this.#writeTo(sink, signal).finally(close);
    return { size: this.size, readInto, close };
  }

  /** The cache keeps the payload no longer; those who read it do. */
  drop(): void {
    this.#isKept = false;
    this.#freeIfUnused();
  }

  async #writeTo(sink: ByteSink, signal: AbortSignal): Promise<void> {
    const pieceBytes = pieceBytesOf(this.size);
    for (let at = 0; at < this.size; ) {
      while (at === this.#arrived) await unlessAborted(this.#moreBytes(), signal);
      const piece = this.#memoryAt(at).subarray(0, Math.min(pieceBytes, this.#arrived - at));
      at += piece.length;
      try {
        await sink.write(piece);
      } catch (error) {
        this.#holdBack();
        throw error;
      }
    }
  }

  async #moreBytes(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.reason;
    this.#news ??= Promise.withResolvers();
    await this.#news.promise;
  }

  #tellReaders(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }

  /** The part that has this byte, from there on. */
  #memoryAt(offset: number): Buffer {
    let at = offset;
    for (const part of this.#parts) {
      if (at < part.length) return part.subarray(at);
      at -= part.length;
    }
    throw new RangeError(`no byte ${offset} in a payload of ${this.size}`);
  }

  #holdBack(): void {
    clearTimeout(this.#mayBeSent);
    this.#mayBeSent = setTimeout(() => {
      this.#mayBeSent = undefined;
      this.#freeIfUnused();
    }, MAY_BE_SENT_MS).unref();
  }

  #freeIfUnused(): void {
    if (this.#isKept || this.isInUse || this.#isFreed) return;
    this.#isFreed = true;
    this.#parts = [];
    this.#onFree();
  }
}
