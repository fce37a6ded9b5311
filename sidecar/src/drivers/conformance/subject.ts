import { createHash } from 'node:crypto';
import { afterEach, beforeEach, type TestFunction, test } from 'vitest';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { bytesOf, sourceOf } from '../../bytes/byte-streams.ts';
import { type PutOutcome, writeAll } from '../../bytes/object-writer.ts';
import type { Driver, ListedObject, PutOptions, StoredBlob } from '../driver.ts';

/** What not every driver, or not every driver's test, can do. The tests that need it say so. */
export type Capability =
  /** `damage` of the started store */
  | 'damage'
  /** `leftovers` of the started store */
  | 'leftovers'
  /** `openResources` of the started store */
  | 'openResources'
  /** a delete tells which of the names were there */
  | 'deletedNamesAreExact'
  /** a folder is gone with its last object, or by `removeFolder` */
  | 'emptyFoldersVanish'
  /** what differs from the stored object in its bytes alone is told from it without reading it */
  | 'digestsAreKept'
  /** names that begin with a slash are listed */
  | 'leadingSlashesAreListed'
  /** a name can be read while a put of it is under way */
  | 'putsLetRead';

export interface DriverSubject {
  /** heads the tests */
  readonly name: string;
  /** `true`, or the reason why the driver lacks it */
  readonly capabilities: Readonly<Record<Capability, true | string>>;
  /** A driver on a store that holds no objects. */
  start(): Promise<StartedStore>;
}

export interface StartedStore {
  readonly driver: Driver;
  /** Replaces what is stored under the name behind the driver's back. */
  damage?(name: string, bytes: Buffer): Promise<void>;
  /** Names of parts, temporary files and unfinished uploads. */
  leftovers?(): Promise<readonly string[]>;
  /** How many files or connections are held for objects that are open. */
  openResources?(): Promise<number>;
  /** Ends the driver and removes the store. */
  stop(): Promise<void>;
}

/** The hooks of a store, and what the tests say about it again and again. */
export class TestStore {
  readonly driver: Driver;
  readonly #started: StartedStore;

  constructor(started: StartedStore) {
    this.#started = started;
    this.driver = started.driver;
  }

  damage(name: string, bytes: Buffer): Promise<void> {
    return provided(this.#started.damage)(name, bytes);
  }

  leftovers(): Promise<readonly string[]> {
    return provided(this.#started.leftovers)();
  }

  openResources(): Promise<number> {
    return provided(this.#started.openResources)();
  }

  stop(): Promise<void> {
    return this.#started.stop();
  }

  put(name: string, bytes: Buffer, options: Partial<PutOptions> = {}): Promise<'created' | 'existed'> {
    return putInto(this.driver, name, inChunks(bytes), factsOf(bytes), options);
  }

  async get(name: string): Promise<Buffer | undefined> {
    const blob = await this.driver.open(name, never());
    return blob === undefined ? undefined : await bytesOf(blob);
  }

  /** Whether the object has these bytes, or, for `undefined`, is absent. */
  async holds(name: string, expected: Buffer | undefined): Promise<boolean> {
    const stored = await this.get(name);
    return stored === undefined || expected === undefined ? stored === expected : stored.equals(expected);
  }

  async list(folder: string): Promise<ListedObject[]> {
    return (await all(this.driver.list(folder, never()))).flat();
  }

  async level(prefix: string): Promise<string[]> {
    return (await all(this.driver.listLevel(prefix, never()))).sort();
  }

  /** The folders of a level. */
  async folders(prefix: string): Promise<string[]> {
    return (await this.level(prefix)).filter((name) => name.endsWith('/'));
  }

  /** Names of all objects, sorted. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    for (const folder of await this.folders('')) {
      for (const { name } of await this.list(folder)) names.push(name);
    }
    return names.sort();
  }
}

function provided<T>(hook: T | undefined): T {
  if (hook === undefined) throw new Error('the capability is declared, its hook is not given');
  return hook;
}

/** A store of its own for each test of a `describe`. */
export function freshStore(subject: DriverSubject): { readonly store: TestStore } {
  let store: TestStore | undefined;
  beforeEach(async () => {
    store = new TestStore(await subject.start());
  });
  afterEach(async () => {
    await store?.stop();
    store = undefined;
  });
  return {
    get store() {
      if (store === undefined) throw new Error('there is a store only within a test');
      return store;
    },
  };
}

/** A test for drivers with the capabilities; elsewhere it is shown as skipped, with the reason. */
export function testWith(
  { name, capabilities }: DriverSubject,
  needed: Capability | readonly Capability[],
  title: string,
  body: TestFunction,
): void {
  const missing = [needed]
    .flat()
    .map((capability) => capabilities[capability])
    .find((has) => has !== true);
  if (missing === undefined) {
    test(title, body);
    return;
  }
  console.info(`${name}: skipped "${title}": ${missing}`);
  test.skip(`${title} (${missing})`, body);
}

const FOLDER = 'expires-20400101T000000Z-30d/orders/common/';

/** An object's name as keys give it; equal seeds give equal names. */
export function someName(seed: string | number): string {
  const hex = createHash('sha256').update(String(seed)).digest('hex');
  return `${FOLDER}sha256:${hex}/sha256:${hex}`;
}

/** Bytes that look random; equal seeds give equal bytes. */
export function someBytes(size: number, seed = 'bytes'): Buffer {
  // SHAKE256 gives any number of bytes, so that no two blocks are alike: swapped ones are noticed.
  return createHash('shake256', { outputLength: Math.max(1, size) })
    .update(seed)
    .digest()
    .subarray(0, size);
}

export function factsOf(bytes: Buffer): BlobFacts {
  return { size: bytes.length, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** The bytes as a body whose chunks are copies, so that the driver may keep them. */
export async function* inChunks(bytes: Buffer, chunkSize = 64 * 1024): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += chunkSize) {
    yield Buffer.from(bytes.subarray(from, from + chunkSize));
  }
}

/** Begins an object, writes these chunks and commits them. */
export async function putInto(
  driver: Driver,
  name: string,
  chunks: AsyncIterable<Buffer>,
  facts: BlobFacts,
  options: Partial<PutOptions> = {},
): Promise<PutOutcome> {
  const writer = await driver.begin(name, facts, { signal: never(), ...options });
  return await writeAll(sourceOf(chunks), writer);
}

/** The bytes of an object that must be there. */
export async function contentOf(blob: StoredBlob | undefined): Promise<Buffer> {
  if (blob === undefined) throw new Error('there is no such object');
  return await bytesOf(blob);
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export function never(): AbortSignal {
  return new AbortController().signal;
}
