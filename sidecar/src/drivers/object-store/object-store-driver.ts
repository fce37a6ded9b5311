import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import {
  checkedWriter,
  keepExisting,
  type ObjectWriter,
  type WriteSteps,
} from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import {
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  PAGE_SIZE,
  type PutOptions,
  type StoredBlob,
} from '../driver.ts';
import { CollectedPut } from './collected-put.ts';
import { type Deleter, oneByOne } from './delete-each.ts';
import { ListingProgress } from './listing-progress.ts';
import { MemoryAllowance } from './memory-allowance.ts';
import { ObjectKeys } from './object-keys.ts';
import { ObjectRequests } from './object-requests.ts';
import type { ListAnswer, ObjectAnswer, ObjectStoreClient } from './object-store-client.ts';
import { StoreCalls } from './store-calls.ts';
import { StreamedPut } from './streamed-put.ts';

const MIB = 1024 * 1024;
/** `Date` is cut to the second: half of one later it is right to half a second. */
const MIDDLE_OF_SECOND = 500;
/** Any key would do, as the answer that there is none has a date too; this one is there, and small. */
const CLOCK_OBJECT = 'store.json';
/** bytes */
const LARGEST_CLOCK_OBJECT = 64 * 1024;

export interface ObjectStoreOptions {
  /** before the name of every object; empty, or ending in a slash */
  readonly prefix: string;
  /** deletes many objects by fewer requests; default: one request each */
  readonly deleter?: Deleter;
  /** bytes up to which a body is verified in memory and sent as often as needed; larger ones stream once. Default 8 MiB */
  readonly inMemoryLimit?: number;
  /** bytes of all bodies in memory together; what would exceed it streams. Default 64 MiB */
  readonly inMemoryTotal?: number;
}

/** Objects in a bucket or container. The service creates only where there is no object, so of several writers one wins. */
export class ObjectStoreDriver implements Driver {
  readonly kind: string;
  readonly longestName: number;
  readonly #calls: StoreCalls;
  readonly #deleter: Deleter;
  readonly #keys: ObjectKeys;
  readonly #inMemoryLimit: number;
  readonly #memory: MemoryAllowance;

  /** Takes over the client, and closes it. */
  constructor(client: ObjectStoreClient, options: ObjectStoreOptions) {
    this.kind = client.kind;
    this.#calls = new StoreCalls(client);
    this.#deleter = options.deleter ?? oneByOne(this.#calls);
    this.#keys = new ObjectKeys(options.prefix);
    this.longestName = this.#keys.longestName;
    this.#inMemoryLimit = options.inMemoryLimit ?? 8 * MIB;
    this.#memory = new MemoryAllowance(options.inMemoryTotal ?? 64 * MIB);
  }

  async begin(name: string, facts: BlobFacts, options: PutOptions): Promise<ObjectWriter> {
    options.signal.throwIfAborted();
    const object = new ObjectRequests(this.#calls, this.#keys.keyOf(name), facts, options);
    const release = facts.size > this.#inMemoryLimit ? undefined : this.#memory.take(facts.size);
    const steps =
      release === undefined
        ? await this.#stream(object, facts, options)
        : new CollectedPut(object, options, release);
    return checkedWriter(steps, facts, options.signal);
  }

  /** Looks first, so that a hit need not be sent. */
  async #stream(object: ObjectRequests, { size }: BlobFacts, options: PutOptions): Promise<WriteSteps> {
    const { signal, replace } = options;
    const decision = replace ? 'replace' : await object.decide(signal);
    if (decision === 'keep') return keepExisting();
    return new StreamedPut(size, signal, (body, ended) =>
      decision === 'create' ? object.createOnce(body, ended) : object.overwrite(body, ended),
    );
  }

  async open(name: string, signal: AbortSignal): Promise<StoredBlob | undefined> {
    const doing = 'read from the storage';
    const { object } = await this.#get(name, doing, signal);
    if (object === undefined) return undefined;
    const { size, body } = object;
    const readInto = (sink: ByteSink) => this.#calls.read(body, sink, doing, signal);
    return { size, readInto, close: () => body.close() };
  }

  async *listLevel(prefix: string, signal: AbortSignal): AsyncIterable<string> {
    // Behind a prefix no key has an empty segment, and a request for one is refused by some services.
    if (!this.#keys.mayBeginWith(prefix)) return;
    for await (const { folders, objects } of this.#pages(prefix, true, signal)) {
      for (const key of [...folders, ...objects.map(({ name }) => name)]) {
        const name = this.#keys.nameOf(key);
        // A service that folds slashes answers with others than were asked for.
        if (!name.startsWith(prefix)) continue;
        if (name === '/') yield* this.listLevel('/', signal);
        else yield name;
      }
    }
  }

  async *list(folder: string, signal: AbortSignal): AsyncIterable<ListedObject[]> {
    for await (const { objects } of this.#pages(folder, false, signal)) {
      if (objects.length === 0) continue;
      yield objects.map(({ name, size }) => ({ name: this.#keys.nameOf(name), size }));
    }
  }

  async delete(names: readonly string[], signal: AbortSignal): Promise<DeleteOutcome> {
    signal.throwIfAborted();
    const byKey = new Map(names.map((name) => [this.#keys.keyOf(name), name]));
    const failed = await this.#deleter.delete([...byKey.keys()], signal);
    return {
      deleted: [...byKey].flatMap(([key, name]) => (failed.has(key) ? [] : [name])),
      failed: [...failed].map(([key, error]) => ({ name: byKey.get(key) ?? key, error })),
    };
  }

  /** There are no folders. */
  async removeFolder(_folder: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  async currentTime(signal: AbortSignal): Promise<number> {
    const doing = "read the storage's clock";
    const { object, date } = await this.#get(CLOCK_OBJECT, doing, signal);
    if (object !== undefined) await this.#discard(object, doing, signal);
    if (date === undefined) throw new StorageError('unavailable', `cannot ${doing}: it sends no Date`);
    return date + MIDDLE_OF_SECOND;
  }

  async close(): Promise<void> {
    this.#calls.client.close();
  }

  #get(name: string, doing: string, signal: AbortSignal) {
    const key = this.#keys.keyOf(name);
    return this.#calls.call(doing, 'get', { signal }, (client) => client.get(key, signal));
  }

  /** Read, it leaves the connection for the next request; what is as large as no such object is not waited for. */
  async #discard(
    { size, body }: Exclude<ObjectAnswer['object'], undefined>,
    doing: string,
    signal: AbortSignal,
  ) {
    if (size > LARGEST_CLOCK_OBJECT) await body.close();
    else await this.#calls.read(body, { write: () => undefined }, doing, signal);
  }

  async *#pages(prefix: string, byFolder: boolean, signal: AbortSignal): AsyncGenerator<ListAnswer> {
    const query = { prefix: this.#keys.prefixOf(prefix), byFolder, limit: PAGE_SIZE };
    const progress = new ListingProgress(query);
    let from: string | undefined;
    do {
      const page = await this.#calls.call('list the payloads', 'list', { signal }, async (client) =>
        progress.take(await client.list({ ...query, from }, signal)),
      );
      yield page;
      from = page.next;
    } while (from !== undefined);
  }
}
