import type { BlobFacts } from '../bytes/blob-facts.ts';
import type { StorageError } from '../errors/storage-error.ts';

/**
 * What a storage backend has to do. Everything that holds for every backend (keys, windows, verification, deadlines,
 * clocks, metrics) is done once, above it; a driver is raw calls and the translation of their errors.
 * `conformance.ts` is this contract as tests.
 *
 * Object names are relative to the store, of at most `longestName` bytes, their segments of at most 255. A driver for a
 * hierarchical backend may treat `/a` and `a` as one name.
 *
 * Every method rejects with a `StorageError`, and with the signal's reason once that is aborted; nothing it began is
 * then left behind: a failed or aborted `put` leaves no object, no part of one, and nothing temporary. The exception is a
 * `put` that is aborted, or whose answer is lost, after the last byte of its body: the backend may have committed the
 * object by then or may yet do it, whole and verified. What a body throws is passed on as it is; a body heeds the same
 * signal, so that a driver need not interrupt its wait for a chunk.
 */
export interface Driver {
  /** Names the backend in logs and metrics. */
  readonly kind: string;

  /** Bytes of the longest name that it can store: `LONGEST_NAME`, less what the store's place in the backend takes of it. */
  readonly longestName: number;

  /**
   * Stores a whole object, create-only. The body yields exactly `facts.size` bytes or throws; a body that turns out not
   * to match its digest throws in place of its last chunk, so that whoever commits only a completed body commits only
   * verified bytes. The driver may keep the chunks.
   *
   * Resolves once the object, and its name, would survive a power cut: `created` by this call, or `existed`. Of
   * concurrent puts of one name exactly one creates (where the answer to it was lost on the way, none says so). The body
   * has been read to its end in both cases. An existing object whose size or content, as far as the backend tells it
   * without reading, does not match `facts` is replaced by the body (`created`), unless `keepExisting`.
   */
  put(
    name: string,
    body: AsyncIterable<Buffer>,
    facts: BlobFacts,
    options: PutOptions,
  ): Promise<'created' | 'existed'>;

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

  /** Deletes the named objects (at most 1,000). One that is not there counts as deleted by somebody else. */
  delete(names: readonly string[], signal: AbortSignal): Promise<DeleteOutcome>;

  /** Removes what a hierarchical backend keeps of a folder (ending in `/`) below which there are no objects; else nothing. */
  removeFolder(folder: string, signal: AbortSignal): Promise<void>;

  /**
   * The backend's clock, ms since the epoch, right to half a second; by an access that also proves that the backend
   * answers us and, where that leaves nothing behind, that it takes writes.
   */
  currentTime(signal: AbortSignal): Promise<number>;

  close(): Promise<void>;
}

export interface PutOptions {
  readonly signal: AbortSignal;
  readonly keepExisting?: boolean;
  /**
   * Writes the body whatever is there, and resolves with `created`. Of concurrent puts of one name the last one stays, whole. For
   * what the service keeps for itself; never together with `keepExisting`.
   */
  readonly replace?: boolean;
}

/** An object opened for reading; its bytes stay readable when it is deleted or replaced meanwhile. */
export interface StoredBlob {
  /** bytes, as stored */
  readonly size: number;
  /** The bytes, once; a chunk is valid until the next one is asked for. Closes the object at the end or when left early. */
  chunks(): AsyncIterable<Buffer>;
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
