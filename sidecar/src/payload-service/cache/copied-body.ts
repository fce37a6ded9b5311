import type { ByteSink, ByteSource } from '../../bytes/byte-streams.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import type { CachedPayload } from './cached-payload.ts';

/** A body that is copied for the cache while it is read. The copy never fails the reading, nor delays it. */
export class CopiedBody implements ByteSource {
  readonly #source: ByteSource;
  readonly #begin: () => CachedPayload | undefined;
  #copy: CachedPayload | undefined;

  /** @param begin called when the body is first read; `undefined`: there is no room for a copy */
  constructor(source: ByteSource, begin: () => CachedPayload | undefined) {
    this.#source = source;
    this.#begin = begin;
  }

  async readInto(sink: ByteSink): Promise<void> {
    this.#copy = this.#begin();
    if (this.#copy === undefined) return await this.#source.readInto(sink);
    await this.#source.readInto({
      write: (chunk) => {
        // Before the sink has it: a chunk may be used only until its write has ended.
        this.#try((copy) => copy.take(chunk));
        return sink.write(chunk);
      },
    });
  }

  /** The copy, if it is whole and verified. The caller takes it over. */
  takeCopy(): CachedPayload | undefined {
    this.#try((copy) => copy.assertComplete());
    const copy = this.#copy;
    this.#copy = undefined;
    return copy;
  }

  /** Frees the copy that was not taken. */
  dropCopy(): void {
    this.#copy?.drop();
    this.#copy = undefined;
  }

  /** Wrong bytes are refused by who stores them; they are no fault here. */
  #try(step: (copy: CachedPayload) => void): void {
    if (this.#copy === undefined) return;
    try {
      step(this.#copy);
    } catch (error) {
      this.dropCopy();
      if (!(error instanceof IntegrityError)) throw error;
    }
  }
}
