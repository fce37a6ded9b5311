import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { ByteSource } from '../../bytes/byte-streams.ts';
import type { StorageError } from '../../errors/storage-error.ts';
import type { AnswerBody } from '../../http-client/transport.ts';
import type { ListedObject } from '../driver.ts';
import type { FailureRow, Fault } from './failures.ts';

/**
 * What the driver asks of an object store, and all that a new one has to implement. Each method makes one request and no
 * retries, bounds every wait, and believes no answer that is not proven to be the service's and about the request. It rejects
 * with an error of which `faultOf` knows the cause, or, once the signal is aborted, with any error. Keys are as in the store.
 */
export interface ObjectStoreClient {
  /** The driver's `kind`. */
  readonly kind: string;

  /** Where the objects are, for messages. */
  readonly place: string;

  /** The failures of the service; see `failureTable`. */
  readonly failures: readonly FailureRow[];

  /**
   * Stores the object, whole or not at all, visible when it resolves. The service compares the bytes with a checksum, or the
   * client ends the request before the last byte when the body fails. `stored` proves that all bytes have left.
   * @param options `ifAbsent`: create-only, `refused` when an object has the key
   */
  put(
    key: string,
    body: ObjectBody,
    facts: BlobFacts,
    options: { ifAbsent: boolean; signal: AbortSignal },
  ): Promise<'stored' | 'refused'>;

  /** `undefined`: there is no such object. Where the answer cannot tell, the whole store may be missing too. */
  head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined>;

  /** The object, or only the date of the answer that there is none. The caller reads or closes what it gets. */
  get(key: string, signal: AbortSignal): Promise<ObjectAnswer>;

  list(query: ListQuery, signal: AbortSignal): Promise<ListAnswer>;

  /**
   * Finds by requests for an object that holds nothing whether the service refuses bytes that are not those of their checksum,
   * so that later PUTs may cost it less. The object is then as it was, or whole.
   */
  tryChecksum?(key: string, signal: AbortSignal): Promise<boolean>;

  /** Deletes one object; resolves only when the answer proves that it is not there, any more or at all. */
  deleteObject(key: string, signal: AbortSignal): Promise<void>;

  /** Deletes many objects by fewer requests; absent: by one request each. */
  readonly deleter?: Deleter;

  /** Whether what is deleted or replaced is kept as an older version. */
  keepsVersions(signal: AbortSignal): Promise<boolean>;

  /** Why a request failed; `undefined` for an error that is none of the service, the network or the credentials. */
  faultOf(error: unknown): Fault | undefined;

  close(): void;
}

/** Chunks in memory, which can be sent again, or the body as it arrives, which cannot. */
export type ObjectBody = readonly Buffer[] | StreamedBody;

export interface StreamedBody extends ByteSource {
  /** whether it has begun to be read: from then on it cannot be sent again */
  readonly begun: boolean;
}

export function isRepeatable(body: ObjectBody): boolean {
  return !('begun' in body && body.begun);
}

export interface ObjectHead {
  /** bytes */
  readonly size: number;
  /** `sha256:` + 64 hex digits of the whole object, as the service keeps it; `undefined`: it keeps none */
  readonly digest: string | undefined;
}

export interface ObjectAnswer {
  readonly object: { readonly size: number; readonly body: AnswerBody } | undefined;
  /** the service's clock, ms since the epoch, cut to the second */
  readonly date: number | undefined;
}

export interface ListQuery {
  readonly prefix: string;
  /** keys that go on after the prefix beyond a slash are listed as one folder */
  readonly byFolder?: boolean;
  readonly limit?: number;
  /** `next` of the answer before */
  readonly from?: string | undefined;
}

/** One page. `ListingProgress` checks that it answers the query, and that the listing ends. */
export interface ListAnswer {
  /** in the order of their keys */
  readonly objects: readonly ListedObject[];
  /** with `byFolder`: what keys begin with up to the slash, each once */
  readonly folders: readonly string[];
  /** `undefined`: that was all */
  readonly next: string | undefined;
}

/** Deletes objects by their keys in the object store. */
export interface Deleter {
  /** Resolves with what is left, by key. @throws StorageError when the service refuses all; the signal's reason */
  delete(keys: readonly string[], signal: AbortSignal): Promise<Map<string, StorageError>>;
}
