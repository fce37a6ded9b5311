import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import { CollectedBody } from '../../bytes/collected-body.ts';
import {
  CheckedWriter,
  keepExisting,
  type ObjectWriter,
  type WriteSteps,
} from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { memoryLimit } from '../../memory/memory-limit.ts';
import { processLimits } from '../../memory/process-limits.ts';
import {
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  PAGE_SIZE,
  type PutOptions,
  type StartedDriver,
  type StoredBlob,
} from '../driver.ts';
import { collectedPut } from './collected-put.ts';
import { deleteEach } from './delete-each.ts';
import { ListingProgress } from './listing-progress.ts';
import { ObjectKeys } from './object-keys.ts';
import { ObjectRequests } from './object-requests.ts';
import type { ListAnswer, ObjectStoreClient } from './object-store-client.ts';
import { StoreCalls } from './store-calls.ts';
import { StreamedPut } from './streamed-put.ts';

const MIB = 1024 * 1024;
const VERSIONS_NOTICE =
  'the bucket keeps versions: payloads that were deleted go on taking space, and can be read by their version, until a lifecycle rule removes noncurrent versions';
/** `Date` is cut to the second: half of one later it is right to half a second. */
const MIDDLE_OF_SECOND = 500;
/** Any key would do, as the answer that there is none has a date too; this one is there, and small. */
const CLOCK_OBJECT = 'store.json';
/** bytes */
const LARGEST_CLOCK_OBJECT = 64 * 1024;

export interface ObjectStoreOptions {
  /** before the name of every object; empty, or ending in a slash */
  readonly prefix: string;
  /** bytes up to which a body is verified in memory and sent as often as needed; larger ones stream once. Default 8 MiB */
  readonly inMemoryLimit?: number;
  /** bytes of all bodies in memory together; what would exceed it streams. Default 64 MiB */
  readonly inMemoryTotal?: number;
}

/**
 * The driver of an object store that could be listed. Takes over the client, and closes it.
 * @throws StorageError that says what is wrong with the store, the credentials or the way there; the signal's reason
 */
export async function startObjectStore(
  client: ObjectStoreClient,
  prefix: string,
  signal: AbortSignal,
): Promise<StartedDriver> {
  const { collectedBodies } = processLimits(memoryLimit());
  const driver = new ObjectStoreDriver(client, { prefix, inMemoryTotal: collectedBodies });
  try {
    for await (const _entry of driver.listLevel('expires-', signal)) break;
    // Credentials that may not ask get no notice; nothing depends on it.
    const keepsVersions = await client.keepsVersions(signal).catch(() => false);
    return { driver, notices: keepsVersions ? [VERSIONS_NOTICE] : [] };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** Objects in a bucket or container. The service creates only where there is no object, so of several writers one wins. */
export class ObjectStoreDriver implements Driver {
  readonly kind: string;
  readonly longestName: number;
  readonly #calls: StoreCalls;
  readonly #keys: ObjectKeys;
  readonly #options: Required<ObjectStoreOptions>;
  /** bytes of the bodies in memory */
  #inMemory = 0;

  /** Takes over the client, and closes it. */
  constructor(client: ObjectStoreClient, options: ObjectStoreOptions) {
    this.kind = client.kind;
    this.#calls = new StoreCalls(client);
    this.#keys = new ObjectKeys(options.prefix);
    this.longestName = this.#keys.longestName;
    this.#options = { inMemoryLimit: 8 * MIB, inMemoryTotal: 64 * MIB, ...options };
  }

  async begin(name: string, facts: BlobFacts, options: PutOptions): Promise<ObjectWriter> {
    options.signal.throwIfAborted();
    const object = new ObjectRequests(this.#calls, this.#keys.keyOf(name), facts, options);
    const { inMemoryLimit, inMemoryTotal } = this.#options;
    const memory = CollectedBody.memoryFor(facts.size);
    const fits = facts.size <= inMemoryLimit && this.#inMemory + memory <= inMemoryTotal;
    const steps = fits ? this.#collect(object, facts, options) : await this.#stream(object, facts, options);
    return new CheckedWriter(steps, facts, options.signal);
  }

  #collect(object: ObjectRequests, { size }: BlobFacts, options: PutOptions): WriteSteps {
    const memory = CollectedBody.memoryFor(size);
    this.#inMemory += memory;
    return collectedPut(object, size, options, () => {
      this.#inMemory -= memory;
    });
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

  async tryChecksum(name: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#calls.client.tryChecksum?.(this.#keys.keyOf(name), signal)) ?? false;
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
    const keys = [...byKey.keys()];
    const { deleter } = this.#calls.client;
    const failed = await (deleter?.delete(keys, signal) ?? deleteEach(this.#calls, keys, signal));
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
    // After the object was read, the next request can use the connection. A larger object is another one, and is not read.
    if (object !== undefined && object.size > LARGEST_CLOCK_OBJECT) await object.body.close();
    else if (object !== undefined)
      await this.#calls.read(object.body, { write: () => undefined }, doing, signal);
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

  async *#pages(prefix: string, byFolder: boolean, signal: AbortSignal): AsyncGenerator<ListAnswer> {
    const query = { prefix: this.#keys.keyOf(prefix), byFolder, limit: PAGE_SIZE };
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
