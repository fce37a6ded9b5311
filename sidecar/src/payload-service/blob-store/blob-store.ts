import { metadataHash } from '@largepayload/codec/wire/metadata';
import { putTimeLimit } from '@largepayload/crds';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { TagChecks } from '../../bytes/check-by-tag.ts';
import { writeAll } from '../../bytes/object-writer.ts';
import { verifiedSource } from '../../bytes/verified-body.ts';
import type { Driver, StoredBlob } from '../../drivers/driver.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { type BlobKey, formatKey, keyPrefixFits, ownerKeyPrefix, parseKey } from '../../keys/key.ts';
import { objectNames, versionOneObjectName } from '../../keys/object-name.ts';
import { windowForPut } from '../../keys/window.ts';
import type { ClockGuard } from '../../storage-records/clock/clock-guard.ts';
import type { OwnershipGuard } from '../../storage-records/ownership/ownership-guard.ts';
import type { WriteWatch } from '../../storage-records/write-check/write-watch.ts';
import { elapsedSince, type Moment } from '../../time/moment.ts';
import type { Call, PayloadService, PutRequest, PutResult } from '../payload-service.ts';

export interface BlobStoreSettings {
  /** ms; `undefined`: kept for ever */
  readonly ttl: number | undefined;
  /** the difference allowed between the clocks of any two processes of the store, ms */
  readonly clockToleranceMs: number;
}

/** What a PUT depends on beside its own bytes. */
export interface BlobStoreGuards {
  readonly clock: Pick<ClockGuard, 'placementTime' | 'assertMayPlace'>;
  readonly ownership: OwnershipGuard;
  readonly writes: WriteWatch;
  readonly readiness: Pick<PayloadService, 'assertUsable'>;
}

/** What holds for payloads on every storage: keys and windows, verification of what is read, the time limit of a PUT. */
export class BlobStore implements PayloadService {
  readonly #driver: Driver;
  readonly #guards: BlobStoreGuards;
  readonly #settings: BlobStoreSettings;
  readonly #checks = new TagChecks();

  constructor(driver: Driver, guards: BlobStoreGuards, settings: BlobStoreSettings) {
    this.#driver = driver;
    this.#guards = guards;
    this.#settings = settings;
  }

  async put(request: PutRequest): Promise<PutResult> {
    const { facts, signal } = request;
    const keyPrefix = this.#keyPrefixOf(request);
    await this.#assertMayPut();
    const key = this.#keyFor(request, keyPrefix);
    const [name] = objectNames(key);
    try {
      const put = async () => {
        return await writeAll(request.body, await this.#driver.begin(name, facts, { signal }));
      };
      const outcome = await this.#guards.writes.observe(put, signal);
      await this.#assertMayPut();
      this.#assertInTime(request.received);
      return { key: formatKey(key), outcome };
    } catch (error) {
      if (error instanceof IntegrityError)
        throw new ServiceError('digest_mismatch', `${error.message}; nothing was stored`);
      throw error;
    }
  }

  async get(keyText: string, { signal }: Call): Promise<StoredBlob> {
    const key = parseKey(keyText);
    return await this.#open(objectNames(key), key, signal);
  }

  async getVersionOne(digest: string, { signal }: Call): Promise<StoredBlob> {
    return await this.#open([versionOneObjectName(digest)], { digest }, signal);
  }

  async assertUsable(): Promise<void> {
    await this.#guards.readiness.assertUsable();
  }

  async #open(
    names: readonly string[],
    { digest, namespace }: Pick<BlobKey, 'digest'> & Partial<BlobKey>,
    signal: AbortSignal,
  ): Promise<StoredBlob> {
    for (const name of names) {
      const blob = await this.#driver.open(name, signal);
      if (blob === undefined) continue;
      const { size } = blob;
      const begin = (facts: BlobFacts) => this.#checks.begin(facts, namespace);
      const { readInto } = verifiedSource(blob, { size, digest }, begin);
      return { size, readInto, close: () => blob.close() };
    }
    // A folder that is not mounted has no payloads either; "not found" is final for a workflow and must be true.
    await this.#guards.ownership.check();
    throw new ServiceError(
      'key_not_found',
      'no payload is stored under this key; it may have outlived its TTL',
    );
  }

  async #assertMayPut(): Promise<void> {
    await Promise.all([this.#guards.clock.assertMayPlace(), this.#guards.ownership.assertOurs()]);
  }

  /** The requested prefix, else the one of the owning workflow when the key stays short enough. */
  #keyPrefixOf({ namespace, keyPrefix, workflowId }: PutRequest): string | undefined {
    const fits = (prefix: string) => keyPrefixFits(namespace, prefix, this.#driver.longestName);
    if (keyPrefix !== undefined) {
      if (fits(keyPrefix)) return keyPrefix;
      throw new ServiceError(
        'invalid_key_prefix',
        'namespace and key prefix together are too long for an object name in this store; shorten metadata "remote-codec/key-prefix"',
      );
    }
    const owner = workflowId === undefined ? undefined : ownerKeyPrefix(workflowId);
    return owner !== undefined && fits(owner) ? owner : undefined;
  }

  #keyFor({ namespace, facts, metadata, received }: PutRequest, keyPrefix: string | undefined): BlobKey {
    const { ttl, clockToleranceMs } = this.#settings;
    const placed = this.#guards.clock.placementTime(received);
    const window = ttl === undefined ? undefined : windowForPut(placed, ttl, clockToleranceMs);
    return { window, namespace, keyPrefix, digest: facts.digest, metadataHash: metadataHash(metadata) };
  }

  /** The window leaves a payload its whole TTL only when the PUT took no longer than the limit counted into it. */
  #assertInTime(received: Moment): void {
    const takenMs = elapsedSince(received);
    const limitMs = putTimeLimit(this.#settings.ttl);
    if (takenMs <= limitMs) return;
    throw new ServiceError(
      'put_timeout',
      `the payload took ${(takenMs / 1_000).toFixed(1)} s to store; the limit of this store is ${limitMs / 1_000} s`,
    );
  }
}
