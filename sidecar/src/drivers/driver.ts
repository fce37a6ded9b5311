import type { BlobFacts } from '../bytes/blob-facts.ts';
import type { ByteSink, ByteSource } from '../bytes/byte-streams.ts';
import type { ObjectWriter } from '../bytes/object-writer.ts';
import type { StorageError } from '../errors/storage-error.ts';

/**
 * What a storage has to do. Everything that holds for every storage (keys, windows, verification, time limits,
 * clocks, metrics) is done once, above it or by `CheckedWriter`; a driver is raw calls and the translation of their errors.
 * `conformance/` is this contract as tests.
 *
 * Object names are relative to the store, of at most `longestName` bytes, their segments of at most 255. A driver for a
 * hierarchical storage may treat `/a` and `a` as the same name.
 *
 * Every method, and every method of a writer, rejects with a `StorageError`, and with the signal's reason once that is
 * aborted. After a put that failed, or was aborted, there is no object, no part of one, and nothing temporary. The exception
 * is a `commit` that is aborted, or whose answer is lost: the storage may have committed the object by then or may yet do it,
 * whole and verified.
 */
export interface Driver {
  /** Names the storage in logs and metrics. */
  readonly kind: string;

  /** Bytes of the longest name that it can store: `LONGEST_NAME`, less what the store's place in the storage takes of it. */
  readonly longestName: number;

  /**
   * Begins to store a whole object, create-only. The writer takes exactly the bytes of `facts`, and commits no others: it
   * throws an `IntegrityError` in place of the chunk that would complete other bytes (`CheckedWriter`).
   *
   * `commit` resolves once the object, and its name, would survive a power cut: `created` by this put, or `existed`. Of
   * concurrent puts of one name exactly one creates (where its answer was lost on the way, no put resolves with `created`). All bytes
   * have been taken in both cases. An existing object whose size or content, as far as the storage tells it without reading,
   * does not match `facts` is replaced (`created`), unless `keepExisting`.
   */
  begin(name: string, facts: BlobFacts, options: PutOptions): ObjectWriter | Promise<ObjectWriter>;

  /**
   * Finds by an object of this name, which holds nothing, whether the storage refuses bytes that are not those of their
   * checksum, so that later puts may cost it less. The object is then as it was, or whole. Absent: nothing depends on it.
   */
  tryChecksum?(name: string, signal: AbortSignal): Promise<boolean>;

  /** The object, or `undefined` when there is none. The caller reads or closes it. */
  open(name: string, signal: AbortSignal): Promise<StoredBlob | undefined>;

  /**
   * One level of names: of all names that start with `prefix`, what follows it up to the next `/`. Folders end in `/`, and
   * objects that lie directly at this level do not. (`''` skips a leading slash: `/blobs/` is one folder.) The cost grows
   * with the entries of the level, not with the objects below it.
   */
  listLevel(prefix: string, signal: AbortSignal): AsyncIterable<string>;

  /**
   * All objects below `folder` (a prefix ending in `/`), in pages of at most 1,000, in constant memory. Names that share
   * their first two segments come one after another. Objects created or deleted meanwhile may be missing or not.
   */
  list(folder: string, signal: AbortSignal): AsyncIterable<ListedObject[]>;

  /** Deletes the named objects (at most 1,000). An absent object counts as deleted by another process. */
  delete(names: readonly string[], signal: AbortSignal): Promise<DeleteOutcome>;

  /** Removes what a hierarchical storage keeps of a folder (ending in `/`) below which there are no objects; else nothing. */
  removeFolder(folder: string, signal: AbortSignal): Promise<void>;

  /**
   * The storage's clock, ms since the epoch, right to half a second; by an access that also proves that the storage
   * answers us and, where that leaves nothing behind, that it takes writes.
   */
  currentTime(signal: AbortSignal): Promise<number>;

  close(): Promise<void>;
}

export interface StartedDriver {
  readonly driver: Driver;
  /** for the operator of the service, about the storage */
  readonly notices: readonly string[];
}

/** For the operator of the service, about the environment of its process. */
export interface EnvironmentNotice {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

export interface PutOptions {
  readonly signal: AbortSignal;
  readonly keepExisting?: boolean;
  /**
   * Replaces whatever is there, and resolves with `created`. Of concurrent puts of one name the last stays, whole. For the
   * records of the service; never together with `keepExisting`.
   */
  readonly replace?: boolean;
}

/** An object opened for reading; its bytes stay readable when it is deleted or replaced meanwhile. */
export interface StoredBlob extends ByteSource {
  /** bytes, as stored */
  readonly size: number;
  /** Writes all bytes into the sink, once. Closes the object at the end, also when it or the sink fails. */
  readInto(sink: ByteSink): Promise<void>;
  close(): Promise<void>;
}

export interface ListedObject {
  readonly name: string;
  /** bytes */
  readonly size: number;
}

export interface DeleteOutcome {
  /** names that this call deleted */
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: StorageError }[];
}

/** Bytes. S3, Google Cloud Storage and Azure take names up to this length, and no driver longer ones. */
export const LONGEST_NAME = 1_024;

/** The most names one `delete` takes and one page of `list` holds; the most S3 deletes in one request. */
export const PAGE_SIZE = 1_000;
