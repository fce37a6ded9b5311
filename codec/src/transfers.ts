import { setImmediate as nextLoopIteration } from 'node:timers/promises';

export interface Transfers<Item, Result> {
  /** Equal names are one transfer. May take its time over large payloads. */
  readonly nameOf: (item: Item) => string | Promise<string>;
  readonly transfer: (item: Item, signal: AbortSignal) => Promise<Result>;
}

/**
 * Makes the transfers of one call beside each other, equal ones once, and resolves with a result for each item in order.
 * When one fails, the others are aborted and awaited, so that nothing goes on after the call has ended.
 * @throws the first failure
 */
export async function transferAll<Item, Result>(
  items: readonly Item[],
  { nameOf, transfer }: Transfers<Item, Result>,
): Promise<Result[]> {
  const stop = new AbortController();
  const begun = new Map<string, Promise<Result>>();
  const results: Promise<Result>[] = [];
  const begin = (item: Item): Promise<Result> => {
    const result = transfer(item, stop.signal);
    result.catch((failure: unknown) => stop.abort(failure));
    return result;
  };
  try {
    for (const item of items) {
      const name = await nameOf(item);
      const result = begun.get(name) ?? begin(item);
      begun.set(name, result);
      results.push(result);
      // What has begun moves on while the next payload is being hashed.
      await nextLoopIteration();
      stop.signal.throwIfAborted();
    }
    return await Promise.all(results);
  } catch (failure) {
    stop.abort(failure);
    await Promise.allSettled(begun.values());
    throw stop.signal.reason;
  }
}
