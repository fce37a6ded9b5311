import { setMaxListeners } from 'node:events';
import type { Payload } from '@temporalio/common';
import { DecodedBytesLimitError } from '../wire/errors.ts';

/** The payloads that one activation of a workflow asked for, or other calls that belong together. */
interface Count {
  payloads: number;
  bytes: number;
  /** Calls that have not ended. */
  calls: number;
  /** Ends them, when what is asked for became too much. */
  readonly stop: AbortController;
}

/** Memory that references are views of. */
interface Message {
  readonly count: Count;
  /** Offsets of the references that were counted. */
  readonly seen: Set<number>;
}

/**
 * Bounds what calls that belong together may ask for, so that a history of a few kilobytes does not take all memory of a
 * worker. Temporal's SDK decodes every field of an activation by a call of its own and does not say which belong
 * together, but two facts show it:
 * - The fields of an activation, or of an activity's task, are views of the one message that they came in.
 * - The SDK begins their calls in one turn of the event loop, and each further one when one of several has ended.
 *
 * So counts of activations are separate, and a worker that is never idle does not add them up.
 */
export class DecodedBytes {
  readonly #limit: number;
  readonly #messages = new WeakMap<ArrayBufferLike, Message>();
  #ofThisTurn: Count | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Counts `sizes`, the bytes of each payload that the references ask for, and runs `work` when they are not too many. A
   * payload that is the only one is never too large. When they are too many, all calls that belong together fail: what they
   * fetched would be thrown away, after the time that a workflow task has.
   * @throws DecodedBytesLimitError when they are, or become so before `work` has ended, whose signal it aborts
   */
  async run<Result>(
    references: readonly Payload[],
    sizes: readonly number[],
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const count = this.#countOf(references);
    count.payloads += sizes.length;
    count.bytes += sizes.reduce((sum, size) => sum + size, 0);
    if (count.payloads > 1 && count.bytes > this.#limit) {
      const failure = new DecodedBytesLimitError(count.payloads, count.bytes, this.#limit);
      count.stop.abort(failure);
      throw failure;
    }
    count.calls += 1;
    try {
      return await work(count.stop.signal);
    } finally {
      count.calls -= 1;
      // A call that begins after the last of these has ended is of another caller.
      if (count.calls > 0) this.#keepForThisTurn(count);
    }
  }

  #countOf(references: readonly Payload[]): Count {
    const views = references.flatMap(({ data }) => viewOf(data));
    const messages = views.flatMap((view) => this.#messages.get(view.buffer) ?? []);
    // The SDK decodes a reference once. A call that decodes it again belongs to another count.
    const isAgain = views.some((view) => this.#messages.get(view.buffer)?.seen.has(view.byteOffset));
    const known = isAgain ? undefined : messages[0]?.count;
    const count = known ?? this.#ofThisTurn ?? newCount();
    for (const { buffer, byteOffset } of views) {
      const message = this.#messages.get(buffer);
      if (message?.count === count) message.seen.add(byteOffset);
      else this.#messages.set(buffer, { count, seen: new Set([byteOffset]) });
    }
    this.#keepForThisTurn(count);
    return count;
  }

  /** A turn ends when all that was to be done at once is done, promises included. */
  #keepForThisTurn(count: Count): void {
    if (this.#ofThisTurn === undefined) {
      process.nextTick(() => {
        this.#ofThisTurn = undefined;
      });
    }
    this.#ofThisTurn = count;
  }
}

function newCount(): Count {
  const stop = new AbortController();
  // A listener for each call is no leak, which Node 20 would warn of.
  setMaxListeners(0, stop.signal);
  return { payloads: 0, bytes: 0, calls: 0, stop };
}

/** A Buffer is left out: its memory may be of Node's pool, which unrelated Buffers share. */
function viewOf(data: Uint8Array | null | undefined): Uint8Array[] {
  return data === null || data === undefined || Buffer.isBuffer(data) ? [] : [data];
}
