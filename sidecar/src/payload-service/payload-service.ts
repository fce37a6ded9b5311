import type { BlobFacts } from '../bytes/blob-facts.ts';
import type { ByteSource } from '../bytes/byte-streams.ts';
import type { PutOutcome } from '../bytes/object-writer.ts';
import type { StoredBlob } from '../drivers/driver.ts';
import type { Moment } from '../time/moment.ts';

/** Who sends a request. */
export interface Caller {
  /** The name under which the caller's share of places and memory is counted, as `peerOf` gives it. */
  readonly peer: string;
}

/** What every request brings with it. */
export interface Call {
  readonly caller: Caller;
  /** on the monotonic clock, ms: the caller waits until then; absent: as long as bytes move */
  readonly deadline?: number;
  /** aborted when the caller has left, is too slow, or the deadline has passed */
  readonly signal: AbortSignal;
}

/** A payload on its way in, its fields already checked by their grammar. */
export interface PutRequest extends Call {
  /** of Temporal */
  readonly namespace: string;
  readonly facts: BlobFacts;
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  /** as the metadata asks for it; the payload is stored under this prefix or not at all */
  readonly keyPrefix: string | undefined;
  /** base64url, of the workflow that owns the payload; `undefined`: not known */
  readonly workflowId: string | undefined;
  readonly body: ByteSource;
  /** when the head of the request was read: the payload's TTL begins then */
  readonly received: Moment;
}

/** A payload that is asked for. */
export interface GetRequest extends Call {
  /** bytes, as the caller's reference says; the caller compares it with the size of what it gets */
  readonly expectedSize: number;
}

export interface PutResult {
  readonly key: string;
  readonly outcome: PutOutcome;
}

/**
 * What the ports serve: `BlobStore` on a driver of this process; a service elsewhere, or a cache before another one, would
 * be the same to them. It trusts its callers: whether a caller may ask for a namespace is decided by the port, which knows
 * that from the head of the request alone, before the request takes a place and before its body is read.
 */
export interface PayloadService {
  /**
   * Resolves when the payload is durable and may be acknowledged. A request that is refused for anything but its body is
   * refused before its body is read.
   * @throws ServiceError `invalid_key_prefix`, `digest_mismatch`, `clock_difference`, `put_timeout`; ForeignStoreError, StorageError
   */
  put(request: PutRequest): Promise<PutResult>;

  /**
   * The stored payload, which the caller reads or closes. Reading rejects with an `IntegrityError` in place of the last bytes
   * when the bytes are not those of the key.
   * @throws ServiceError `invalid_key`, `key_not_found`; ForeignStoreError, StorageError
   */
  get(key: string, request: GetRequest): Promise<StoredBlob>;

  /** A payload stored through version 1 of the wire API. @throws ServiceError `key_not_found`; ForeignStoreError, StorageError */
  getVersionOne(digest: string, request: GetRequest): Promise<StoredBlob>;

  /** Whether payloads can be stored and read now, as `/readyz` finds it. @throws ServiceError of status 503 */
  assertUsable(): Promise<void>;
}
