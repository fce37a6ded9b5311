import { IntegrityError } from '../errors/integrity-error.ts';
import type { BlobFacts } from './blob-facts.ts';
import type { ByteSink, ByteSource } from './byte-streams.ts';

/** Whether this put created the object, or found it there. */
export type PutOutcome = 'created' | 'existed';

/**
 * An object that is being written. Nothing of it can be seen before `commit`. Who has a writer ends it by `commit` or
 * `abort`, and by `abort` after a write that failed.
 *
 * A chunk is the writer's until `commit` or `abort` has ended: the writer may keep it, and the caller must not change it.
 */
export interface ObjectWriter extends ByteSink {
  /**
   * Resolves once the object and its name are durable. Rejects with an `IntegrityError` when not exactly the promised number
   * of bytes was written. A commit that rejects leaves what an abort leaves.
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

/** What differs between the writers of drivers. `checkedWriter` keeps the rules by which these steps are called. */
export interface WriteSteps {
  /** A chunk that is not empty, after the write before it has ended; never more bytes than promised. */
  write(chunk: Buffer): Promise<void> | undefined;
  /** Once, after exactly the promised bytes. */
  commit(): Promise<PutOutcome>;
  /** Once, in place of a commit or after one that failed. Ends a write under way, and removes what there is of the object. */
  abort(reason: unknown): Promise<void>;
}

/** Takes the bytes of an object that is there already, and keeps that. @param settle makes what is there durable */
export function keepExisting(settle: () => Promise<unknown> = async () => {}): WriteSteps {
  return {
    write: () => undefined,
    commit: async () => {
      await settle();
      return 'existed';
    },
    abort: async () => {},
  };
}

/** A driver's writer: counts the bytes, refuses writes that come too late, and heeds the signal. */
export function checkedWriter(steps: WriteSteps, { size }: BlobFacts, signal: AbortSignal): ObjectWriter {
  return new CheckedWriter(steps, size, signal);
}

class CheckedWriter implements ObjectWriter {
  readonly #steps: WriteSteps;
  readonly #size: number;
  readonly #signal: AbortSignal;
  #written = 0;
  #ending: Promise<PutOutcome | undefined> | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(steps: WriteSteps, size: number, signal: AbortSignal) {
    this.#steps = steps;
    this.#size = size;
    this.#signal = signal;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    this.#assertOpen();
    this.#written += chunk.length;
    if (this.#written > this.#size) throw new IntegrityError(`more than the promised ${this.#size} bytes`);
    if (chunk.length === 0) return undefined;
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
      if (this.#written !== this.#size)
        throw new IntegrityError(`${this.#written} bytes instead of the promised ${this.#size}`);
      return await this.#steps.commit();
    } catch (error) {
      await this.#cleanUp(error);
      this.#signal.throwIfAborted();
      throw error;
    }
  }

  /** What cannot be removed must not hide why it has to be. */
  async #cleanUp(reason: unknown): Promise<undefined> {
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
