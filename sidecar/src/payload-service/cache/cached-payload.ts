import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { free } from '../../bytes/buffer-pool.ts';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import { pieceBytesOf } from '../../bytes/pieces.ts';
import { Verification } from '../../bytes/verified-body.ts';
import type { StoredBlob } from '../../drivers/driver.ts';
import { unlessAborted } from '../../time/unless-aborted.ts';

/**
 * A payload in memory of its own, whole or arriving. It is verified as it arrives, and readers get only bytes that were: the
 * last ones are there for them only when size and digest of all are right.
 */
export class CachedPayload {
  readonly size: number;
  readonly #bytes: Buffer;
  /** Until all is verified; it has memory of its own. */
  #verification: Verification | undefined;
  readonly #onFree: () => void;
  #arrived = 0;
  #failure: { readonly reason: unknown } | undefined;
  /** What readers wait for, if there are some. */
  #news: PromiseWithResolvers<void> | undefined;
  #readers = 0;
  #isKept = true;
  /** After a write that failed the kernel may still read the bytes, so the collector has to free them. */
  #mayStillBeSent = false;

  /** @param onFree called once, when nothing needs the memory any more */
  constructor(facts: BlobFacts, onFree: () => void) {
    this.size = facts.size;
    // Not from Node's shared 8 KiB, of which one small payload would keep all.
    this.#bytes = Buffer.allocUnsafeSlow(facts.size);
    this.#verification = new Verification(facts);
    this.#onFree = onFree;
  }

  get isBeingRead(): boolean {
    return this.#readers > 0;
  }

  /** Copies the next bytes. @throws IntegrityError in place of taking the last bytes of wrong ones */
  take(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#verification?.take(chunk);
    chunk.copy(this.#bytes, this.#arrived);
    this.#arrived += chunk.length;
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
      const piece = this.#bytes.subarray(at, Math.min(at + pieceBytes, this.#arrived));
      at += piece.length;
      try {
        await sink.write(piece);
      } catch (error) {
        this.#mayStillBeSent = true;
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

  #freeIfUnused(): void {
    if (this.#isKept || this.#readers > 0) return;
    if (!this.#mayStillBeSent) free(this.#bytes);
    this.#onFree();
  }
}
