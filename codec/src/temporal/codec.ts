import type { Payload, PayloadCodec } from '@temporalio/common';
import { BlobClient } from '../transport/blob-client.ts';
import { type RetryRules, withRetries } from '../transport/retry.ts';
import { Slots } from '../transport/slots.ts';
import { withTimeLimit } from '../transport/time-limit.ts';
import { type Transferred, transferAll } from '../transport/transfers.ts';
import { digestInSlices } from '../wire/digest.ts';
import {
  metadataFromRecord,
  metadataHash,
  metadataToRecord,
  type PayloadMetadata,
} from '../wire/metadata.ts';
import { longestRequestMs } from '../wire/put-time-limit.ts';
import { type BlobReference, decodeReference, encodeReference, isReference } from '../wire/reference.ts';
import { isActivityFailure, runningActivity } from './activity-execution.ts';
import { DecodedBytes } from './decoded-bytes.ts';
import { externalSizeAdded, externalSizeRemoved } from './external-size.ts';
import { isLargerThan } from './proto-size.ts';
import {
  type CodecSettings,
  type LargePayloadCodecOptions,
  namespaceFor,
  type PayloadContext,
  resolveSettings,
} from './settings.ts';

/** A payload about to be stored. */
interface LargePayload {
  readonly payload: Payload;
  readonly metadata: PayloadMetadata;
  readonly data: Uint8Array;
  readonly size: number;
  readonly digest: string;
}

interface MarkedPayload {
  readonly payload: Payload;
  readonly reference: BlobReference;
}

/** Encodings whose bytes Temporal's converters parse, so that no application code sees them. */
const parsedEncodings: ReadonlySet<string> = new Set(['json/plain', 'json/protobuf']);

/**
 * A Temporal payload codec that keeps large payloads in a blob service and puts references to them into the history.
 * Its references are those of DataDog's Large Payload Service, so codecs of both kinds read each other's.
 * Put it last in `payloadCodecs`: what comes after it would see references instead of payloads.
 *
 * Payloads of a call are transferred beside each other, equal ones once, and failures that may heal are retried for a
 * while. When one payload fails for good the call fails with nothing half done, and Temporal retries the workflow task or
 * the activity.
 */
export class LargePayloadCodec implements PayloadCodec {
  readonly #settings: CodecSettings;
  readonly #client: BlobClient;
  readonly #slots: Slots;
  readonly #decodedBytes: DecodedBytes;

  /** @throws TypeError when a setting is missing or wrong; nothing is connected to yet. */
  constructor(options: LargePayloadCodecOptions = {}) {
    this.#settings = resolveSettings(options, process.env);
    this.#client = new BlobClient(this.#settings);
    this.#slots = new Slots(this.#settings.maxConcurrentRequests);
    this.#decodedBytes = new DecodedBytes(this.#settings.maxDecodedBytes);
  }

  /**
   * Stores every payload above the threshold and returns references in their places. Payloads that are references
   * already are left as they are.
   * @param context whose payloads these are; Temporal's SDK passes it
   * @throws PayloadStoreError, in one of its subclasses, when a payload could not be stored; TypeError when there is no
   * namespace to store it under.
   */
  async encode(payloads: Payload[], context?: PayloadContext | null): Promise<Payload[]> {
    const { decodeOnly, thresholdBytes } = this.#settings;
    if (decodeOnly) return payloads;
    const isLarge = (payload: Payload) => isLargerThan(payload, thresholdBytes) && !isReference(payload);
    try {
      return await replaceSome(payloads, isLarge, (large) => this.#storeAll(large, context ?? {}));
    } catch (failure) {
      if (!isActivityFailure()) throw failure;
      return replaceSome(payloads, isLarge, async (large) =>
        large.map((payload) => noteOf(payload, failure)),
      );
    }
  }

  /**
   * Replaces every reference by the payload it stands for, with length and digest verified.
   * @throws PayloadReferenceError when a reference is malformed, PayloadNotFoundError when the store has no such
   * payload, PayloadIntegrityError when it has other bytes, DecodedBytesLimitError when they and those of the calls that
   * belong together with this one would take too much memory, or another subclass of PayloadStoreError.
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return replaceSome(payloads, isReference, (references) => this.#retrieveAll(references));
  }

  async #storeAll(payloads: readonly Payload[], context: PayloadContext): Promise<Payload[]> {
    const namespace = namespaceFor(this.#settings, context);
    const workflowId = this.#settings.ownerPrefix ? context.workflowId : undefined;
    const { retryTimeoutMs, activityRetryTimeoutMs } = this.#settings;
    const cancellation = runningActivity();
    const patience = {
      timeoutMs: cancellation === undefined ? retryTimeoutMs : activityRetryTimeoutMs,
      giveUp: cancellation,
    };
    const stored = await transferAll(payloads, {
      prepare: describe,
      nameOf: ({ digest, metadata }) => `${digest}/${metadataHash(metadata)}`,
      transfer: ({ data: body, ...facts }, signal) =>
        this.#request(signal, patience, (limited) =>
          this.#client.put({ namespace, workflowId, body, ...facts, signal: limited }),
        ),
    });
    return stored.map(({ prepared: { payload, metadata, size, digest }, result: { key } }) => {
      const reference = encodeReference({ version: 'v2', metadata, size, digest, key });
      // What is neither metadata nor data has no place in a reference, but stays on the payload that carries it.
      return externalSizeAdded({ ...payload, ...reference }, size);
    });
  }

  async #retrieveAll(payloads: readonly Payload[]): Promise<Payload[]> {
    // All of them first: a malformed one fails the call before anything is asked for.
    const references = payloads.map((payload) => ({ payload, reference: decodeReference(payload) }));
    const sizes = references.map(({ reference }) => reference.size);
    const retrieved = await this.#decodedBytes.run(payloads, sizes, (signal) =>
      this.#fetchAll(references, signal),
    );
    const handedOut = new Set<Uint8Array>();
    return retrieved.map(({ prepared: { payload, reference }, result }) => {
      // Application code that changes one of two equal payloads must not change the other.
      const data = handedOut.has(result) && mayBeChanged(reference) ? result.slice() : result;
      handedOut.add(result);
      const metadata = metadataToRecord(reference.metadata);
      return externalSizeRemoved({ ...payload, metadata, data }, reference.size);
    });
  }

  #fetchAll(
    references: readonly MarkedPayload[],
    signal: AbortSignal,
  ): Promise<Transferred<MarkedPayload, Uint8Array>[]> {
    const patience = { timeoutMs: this.#settings.retryTimeoutMs };
    return transferAll(references, {
      signal,
      prepare: (item) => item,
      nameOf: ({ reference }) => JSON.stringify([keyOf(reference), reference.digest, reference.size]),
      transfer: ({ reference }, stop) =>
        this.#request(stop, patience, (limited) =>
          reference.version === 'v1'
            ? this.#client.getByDigest({ ...reference, signal: limited })
            : this.#client.get({ ...reference, signal: limited }),
        ),
    });
  }

  /** A slot is held only while a request is made, not while the request waits for its next try. */
  #request<Result>(
    signal: AbortSignal,
    patience: Omit<RetryRules, 'signal'>,
    request: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const attempt = (begin: () => number) =>
      this.#slots.run(signal, begin, () => withTimeLimit(longestRequestMs, signal, request));
    return withRetries(attempt, { ...patience, signal, onRetryAfter: (ms) => this.#slots.pause(ms) });
  }
}

async function describe(payload: Payload): Promise<LargePayload> {
  // Decoded by protobufjs, a payload without data may have an empty array there.
  const data = payload.data?.byteLength ? payload.data : new Uint8Array();
  const metadata = metadataFromRecord(payload.metadata);
  return { payload, metadata, data, size: data.byteLength, digest: await digestInSlices(data) };
}

/**
 * Whether other code may get these very bytes: application code gets those of `binary/plain` as they are, and other codecs
 * may hand them on.
 */
function mayBeChanged({ metadata }: BlobReference): boolean {
  const encoding = new TextDecoder().decode(metadata.get('encoding'));
  return !parsedEncodings.has(encoding);
}

function keyOf(reference: BlobReference): string | undefined {
  return reference.version === 'v1' ? undefined : reference.key;
}

/** What a workflow finds in the details of an activity's failure in place of a payload that could not be stored. */
function noteOf(payload: Payload, failure: unknown): Payload {
  const { name, message } = failure as Error;
  const note = { payloadNotStored: { name, message, size: payload.data?.byteLength ?? 0 } };
  const bytes = (text: string) => new TextEncoder().encode(text);
  return { metadata: { encoding: bytes('json/plain') }, data: bytes(JSON.stringify(note)) };
}

/** The same payloads in the same order, with those selected replaced, all of them in one go. */
async function replaceSome(
  payloads: readonly Payload[],
  isSelected: (payload: Payload) => boolean,
  replace: (selected: readonly Payload[]) => Promise<Payload[]>,
): Promise<Payload[]> {
  // Taken now: the caller may change the array while payloads travel.
  const entries = payloads.map((payload) => ({ payload, isReplaced: isSelected(payload) }));
  const selected = entries.flatMap(({ payload, isReplaced }) => (isReplaced ? [payload] : []));
  const replacements = (selected.length === 0 ? [] : await replace(selected)).values();
  return entries.map(({ payload, isReplaced }) =>
    isReplaced ? (replacements.next().value as Payload) : payload,
  );
}
