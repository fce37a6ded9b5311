import { setMaxListeners } from 'node:events';
import { setImmediate as nextLoopIteration } from 'node:timers/promises';

export interface Transfers<Item, Prepared, Result> {
  /** What has to be known before; may take its time over large payloads. */
  readonly prepare: (item: Item) => Prepared | Promise<Prepared>;
  /** Equal names are one transfer. */
  readonly nameOf: (prepared: Prepared) => string;
  readonly transfer: (prepared: Prepared, signal: AbortSignal) => Promise<Result>;
  /** Ends them all: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

export interface Transferred<Prepared, Result> {
  readonly prepared: Prepared;
  readonly result: Result;
}

/**
 * Makes the transfers of one call beside each other, equal ones once, and resolves with an outcome for each item in order.
 * When one fails, the others are aborted and awaited, so that nothing goes on after the call has ended.
 * @throws the first failure, the signal's reason among them
 */
export async function transferAll<Item, Prepared, Result>(
  items: readonly Item[],
  { prepare, nameOf, transfer, signal }: Transfers<Item, Prepared, Result>,
): Promise<Transferred<Prepared, Result>[]> {
  const stop = new AbortController();
  // A listener for each payload is no leak, which Node 20 would warn of.
  setMaxListeners(0, stop.signal);
  const begun = new Map<string, Promise<Result>>();
  const outcomes: { prepared: Prepared; result: Promise<Result> }[] = [];
  const begin = (prepared: Prepared): Promise<Result> => {
    const result = transfer(prepared, stop.signal);
    result.catch((failure: unknown) => stop.abort(failure));
    return result;
  };
  const end = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', end, { once: true });
  try {
    signal?.throwIfAborted();
    for (const item of items) {
      const prepared = await prepare(item);
      const name = nameOf(prepared);
      const result = begun.get(name) ?? begin(prepared);
      begun.set(name, result);
      outcomes.push({ prepared, result });
      // What has begun moves on while the next payload is being prepared.
      await nextLoopIteration();
      stop.signal.throwIfAborted();
    }
    const settled = outcomes.map(async ({ prepared, result }) => ({ prepared, result: await result }));
    return await Promise.all(settled);
  } catch (failure) {
    stop.abort(failure);
    await Promise.allSettled(begun.values());
    throw stop.signal.reason;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}
