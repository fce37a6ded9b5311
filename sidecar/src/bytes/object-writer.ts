import type { BlobFacts } from './blob-facts.ts';
import type { ByteSink, ByteSource } from './byte-streams.ts';
import { Verification } from './verified-body.ts';

/** Whether this put created the object, or found it there. */
export type PutOutcome = 'created' | 'existed';

/**
 * An object that is being written. Nothing of it can be seen before `commit`. The owner of a writer ends it by `commit` or
 * `abort`, and by `abort` after a write that failed.
 */
export interface ObjectWriter extends ByteSink {
  /**
   * Resolves once the object and its name are durable. Rejects with an `IntegrityError` when not exactly the promised bytes
   * were written. A commit that rejects leaves what an abort leaves.
   */
  commit(): Promise<PutOutcome>;

  /**
   * Resolves once nothing is left of the object, and never rejects. A write under way, and each later one, rejects with the
   * reason. After `commit` was called it only waits for the outcome: the signal of the put interrupts a commit.
   */
  abort(reason: unknown): Promise<void>;
}

/** Writes the whole source and commits it. Whatever fails aborts the writer. */
export async function writeAll(source: ByteSource, writer: ObjectWriter): Promise<PutOutcome> {
  try {
    await source.readInto(writer);
    return await writer.commit();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

/** What differs between the writers of drivers. `CheckedWriter` keeps the rules by which these steps are called. */
export interface WriteSteps {
  /**
   * Takes a chunk that is not empty, after the write before it has ended. The chunk may be used only until this write has
   * ended; bytes that are kept have to be copied. The chunk that completes the object is verified.
   */
  write(chunk: Buffer): Promise<void> | undefined;
  /** Once, after exactly the promised bytes. */
  commit(): Promise<PutOutcome>;
  /** Once, in place of a commit or after one that failed. Ends a write under way, and removes what there is of the object. */
  abort(reason: unknown): Promise<void>;
}

/** For an object that is there already: takes the bytes and keeps the object. @param settle makes the object durable */
export function keepExisting(settle: () => Promise<unknown> = async () => {}): WriteSteps {
  return {
    write: () => undefined,
    commit: () => settle().then(() => 'existed'),
    abort: async () => {},
  };
}

/**
 * A driver's writer: refuses bytes that are not the promised ones and calls that come too late, and heeds the signal. The
 * chunk that would complete a wrong object does not reach the driver.
 */
export class CheckedWriter implements ObjectWriter {
  readonly #steps: WriteSteps;
  readonly #signal: AbortSignal;
  readonly #verification: Verification;
  #ending: Promise<unknown> | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(steps: WriteSteps, facts: BlobFacts, signal: AbortSignal) {
    this.#steps = steps;
    this.#signal = signal;
    this.#verification = new Verification(facts);
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#assertOpen();
    if (chunk.length === 0) return undefined;
    this.#verification.take(chunk);
    return this.#steps.write(chunk)?.finally(() => this.#assertWanted());
  }

  async commit(): Promise<PutOutcome> {
    this.#assertOpen();
    const committing = this.#commit();
    this.#ending = committing;
    return await committing;
  }

  async abort(reason: unknown): Promise<void> {
    if (this.#ending === undefined) {
      this.#aborted = { reason };
      this.#ending = this.#cleanUp(reason);
    }
    await this.#ending.catch(() => {});
  }

  async #commit(): Promise<PutOutcome> {
    try {
      this.#verification.assertComplete();
      return await this.#steps.commit();
    } catch (error) {
      await this.#cleanUp(error);
      this.#signal.throwIfAborted();
      throw error;
    }
  }

  /** A failure to remove the object must not hide why it is removed. */
  async #cleanUp(reason: unknown): Promise<void> {
    await this.#steps.abort(reason).catch(() => {});
  }

  #assertOpen(): void {
    this.#assertWanted();
    if (this.#ending !== undefined) throw new Error('the object is committed already');
  }

  #assertWanted(): void {
    this.#signal.throwIfAborted();
    if (this.#aborted !== undefined) throw this.#aborted.reason;
  }
}
