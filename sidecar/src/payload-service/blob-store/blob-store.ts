import { putTimeLimit } from '@largepayload/crds';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { ByteSink, ByteSource } from '../../bytes/byte-streams.ts';
import { writeAll } from '../../bytes/object-writer.ts';
import { verifiedSource, verifiedWriter } from '../../bytes/verified-body.ts';
import type { Driver, StoredBlob } from '../../drivers/driver.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { type BlobKey, formatKey, parseKey } from '../../keys/key.ts';
import { objectNames, versionOneObjectName } from '../../keys/object-name.ts';
import { windowForPut } from '../../keys/window.ts';
import type { ClockGuard } from '../../storage-records/clock/clock-guard.ts';
import type { OwnershipGuard } from '../../storage-records/ownership/ownership-guard.ts';
import type { WriteWatch } from '../../storage-records/write-check/write-watch.ts';
import { elapsedSince, type Moment } from '../../time/moment.ts';

export interface BlobStoreSettings {
  /** ms; `undefined`: kept for ever */
  readonly ttl: number | undefined;
  /** the difference allowed between the clocks of any two processes of the store, ms */
  readonly clockTolerance: number;
}

/** What a PUT depends on beside its own bytes. */
export interface BlobStoreGuards {
  readonly clock: Pick<ClockGuard, 'placementTime' | 'assertMayPlace'>;
  readonly ownership: OwnershipGuard;
  readonly writes: WriteWatch;
}

/** A payload on its way in, its parts already checked by their grammar. */
export interface PutRequest {
  readonly namespace: string;
  readonly keyPrefix: string | undefined;
  readonly metadataHash: string;
  readonly facts: BlobFacts;
  readonly body: ByteSource;
  readonly received: Moment;
  readonly signal: AbortSignal;
}

export interface PutResult {
  readonly key: string;
  readonly outcome: 'created' | 'existed';
}

/** A stored payload, whose bytes are verified as they are read. */
export interface FoundBlob extends ByteSource {
  /** bytes, as stored */
  readonly size: number;
  /** Reads the bytes, once. Throws an IntegrityError in place of the last ones when they are not those of the key. */
  readInto(sink: ByteSink): Promise<void>;
  close(): Promise<void>;
}

/** What holds for payloads on every backend: keys and windows, verification both ways, the time limit of a PUT. */
export class BlobStore {
  readonly #driver: Driver;
  readonly #clock: BlobStoreGuards['clock'];
  readonly #settings: BlobStoreSettings;
  readonly #ownership: OwnershipGuard;
  readonly #writes: WriteWatch;
  /** ms that a PUT may take from parsed headers to acknowledgement */
  readonly putTimeLimit: number;

  constructor(driver: Driver, { clock, ownership, writes }: BlobStoreGuards, settings: BlobStoreSettings) {
    this.#driver = driver;
    this.#clock = clock;
    this.#ownership = ownership;
    this.#writes = writes;
    this.#settings = settings;
    this.putTimeLimit = putTimeLimit(settings.ttl);
  }

  /** bytes of the longest name that the storage takes */
  get longestName(): number {
    return this.#driver.longestName;
  }

  /**
   * Resolves when the payload is durable and may be acknowledged.
   * @throws ServiceError `digest_mismatch`, `clock_difference`, `put_timeout`; ForeignStoreError, StorageError
   */
  async put(request: PutRequest): Promise<PutResult> {
    const { facts, signal } = request;
    await this.#assertMayPut();
    const key = this.#keyFor(request);
    const [name] = objectNames(key);
    try {
      const put = async () => {
        const writer = await this.#driver.begin(name, facts, { signal });
        return await writeAll(request.body, verifiedWriter(writer, facts));
      };
      const outcome = await this.#writes.observe(put, signal);
      await this.#assertMayPut();
      this.#assertInTime(request.received);
      return { key: formatKey(key), outcome };
    } catch (error) {
      if (error instanceof IntegrityError)
        throw new ServiceError('digest_mismatch', `${error.message}; nothing was stored`);
      throw error;
    }
  }

  /** @throws ServiceError `invalid_key`, `key_not_found`; ForeignStoreError, StorageError */
  async get(keyText: string, signal: AbortSignal): Promise<FoundBlob> {
    const key = parseKey(keyText);
    return await this.#open(objectNames(key), key.digest, signal);
  }

  /** A payload stored through version 1 of the wire API. @throws ServiceError `key_not_found`; ForeignStoreError, StorageError */
  async getVersionOne(digest: string, signal: AbortSignal): Promise<FoundBlob> {
    return await this.#open([versionOneObjectName(digest)], digest, signal);
  }

  async #open(names: readonly string[], digest: string, signal: AbortSignal): Promise<FoundBlob> {
    for (const name of names) {
      const blob = await this.#driver.open(name, signal);
      if (blob !== undefined) return verifiedBlob(blob, digest);
    }
    // A folder that is not mounted has no payloads either; "not found" is final for a workflow and must be true.
    await this.#ownership.check();
    throw new ServiceError(
      'key_not_found',
      'no payload is stored under this key; it may have outlived its TTL',
    );
  }

  async #assertMayPut(): Promise<void> {
    await Promise.all([this.#clock.assertMayPlace(), this.#ownership.assertOurs()]);
  }

  #keyFor({ namespace, keyPrefix, facts, metadataHash, received }: PutRequest): BlobKey {
    const { ttl, clockTolerance } = this.#settings;
    const window =
      ttl === undefined ? undefined : windowForPut(this.#clock.placementTime(received), ttl, clockTolerance);
    return { window, namespace, keyPrefix, digest: facts.digest, metadataHash };
  }

  /** The window leaves a payload its whole TTL only when the PUT took no longer than the limit counted into it. */
  #assertInTime(received: Moment): void {
    const taken = elapsedSince(received);
    if (taken <= this.putTimeLimit) return;
    throw new ServiceError(
      'put_timeout',
      `the payload took ${(taken / 1_000).toFixed(1)} s to store; the limit of this store is ${this.putTimeLimit / 1_000} s`,
    );
  }
}

function verifiedBlob(blob: StoredBlob, digest: string): FoundBlob {
  return {
    size: blob.size,
    readInto: (sink) => verifiedSource(blob, { size: blob.size, digest }).readInto(sink),
    close: () => blob.close(),
  };
}
