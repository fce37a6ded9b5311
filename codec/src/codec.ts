import type { Payload, PayloadCodec } from '@temporalio/common';
import { runningActivity } from './activity-execution.ts';
import { BlobClient } from './blob-client.ts';
import { digestInSlices } from './digest.ts';
import { externalSizeAdded, externalSizeRemoved } from './external-size.ts';
import { metadataFromRecord, metadataHash, metadataToRecord, type PayloadMetadata } from './metadata.ts';
import { isLargerThan } from './proto-size.ts';
import { type BlobReference, decodeReference, encodeReference, isReference } from './reference.ts';
import { withRetries } from './retry.ts';
import {
  type CodecSettings,
  type LargePayloadCodecOptions,
  namespaceFor,
  type PayloadContext,
  resolveSettings,
} from './settings.ts';
import { Slots } from './slots.ts';
import { withTimeLimit } from './time-limit.ts';
import { transferAll } from './transfers.ts';

/** No PUT is acknowledged later than that, and a payload that takes longer to read does not arrive. */
const requestTimeLimitMs = 15 * 60_000;

/** A payload about to be stored. */
interface LargePayload {
  readonly metadata: PayloadMetadata;
  readonly data: Uint8Array;
  readonly size: number;
  readonly digest: string;
}

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

  /** @throws TypeError when a setting is missing or wrong; nothing is connected to yet. */
  constructor(options: LargePayloadCodecOptions = {}) {
    this.#settings = resolveSettings(options, process.env);
    this.#client = new BlobClient(this.#settings);
    this.#slots = new Slots(this.#settings.maxConcurrentRequests);
  }

  /**
   * Stores every payload above the threshold and returns references in their places. Payloads that are references
   * already are left as they are.
   * @param context whose payloads these are; Temporal's SDK passes it
   * @throws PayloadStoreError, in one of its subclasses, when a payload could not be stored; TypeError when there is no
   * namespace to store it under.
   */
  async encode(payloads: Payload[], context: PayloadContext = {}): Promise<Payload[]> {
    const { decodeOnly, thresholdBytes } = this.#settings;
    if (decodeOnly) return payloads;
    return replaceSome(
      payloads,
      (payload) => isLargerThan(payload, thresholdBytes) && !isReference(payload),
      (large) => this.#storeAll(large, context),
    );
  }

  /**
   * Replaces every reference by the payload it stands for, with length and digest verified.
   * @throws PayloadReferenceError when a reference is malformed, PayloadNotFoundError when the store has no such
   * payload, PayloadIntegrityError when it has other bytes, or another subclass of PayloadStoreError.
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return replaceSome(payloads, isReference, (references) => this.#retrieveAll(references));
  }

  async #storeAll(payloads: readonly Payload[], context: PayloadContext): Promise<Payload[]> {
    const namespace = namespaceFor(this.#settings, context);
    const workflowId = this.#settings.ownerPrefix ? context.workflowId : undefined;
    const described = new Map<Payload, LargePayload>();
    const keys = await transferAll(payloads, {
      nameOf: async (payload) => {
        const large = described.get(payload) ?? (await describe(payload));
        described.set(payload, large);
        return `${large.digest}/${metadataHash(large.metadata)}`;
      },
      transfer: (payload, signal) =>
        this.#request(signal, async (limited) => {
          const { data: body, ...facts } = described.get(payload) as LargePayload;
          const { key } = await this.#client.put({ namespace, workflowId, body, ...facts, signal: limited });
          return key;
        }),
    });
    return payloads.map((payload, index) => {
      const { metadata, size, digest } = described.get(payload) as LargePayload;
      const reference = encodeReference({
        version: 'v2',
        metadata,
        size,
        digest,
        key: keys[index] as string,
      });
      // What is neither metadata nor data has no place in a reference, but stays on the payload that carries it.
      return externalSizeAdded({ ...payload, ...reference }, size);
    });
  }

  async #retrieveAll(payloads: readonly Payload[]): Promise<Payload[]> {
    const references = payloads.map(decodeReference);
    const contents = await transferAll(references, {
      nameOf: (reference) => JSON.stringify([keyOf(reference), reference.digest, reference.size]),
      transfer: (reference, signal) =>
        this.#request(signal, (limited) =>
          reference.version === 'v1'
            ? this.#client.getByDigest({ ...reference, signal: limited })
            : this.#client.get({ ...reference, signal: limited }),
        ),
    });
    const handedOut = new Set<Uint8Array>();
    return payloads.map((payload, index) => {
      const { metadata, size } = references[index] as BlobReference;
      const content = contents[index] as Uint8Array;
      // Whoever changes one of two equal payloads must not change the other.
      const data = handedOut.has(content) ? content.slice() : content;
      handedOut.add(content);
      return externalSizeRemoved({ ...payload, metadata: metadataToRecord(metadata), data }, size);
    });
  }

  /** A slot is held only while a request is made, not while one waits to be tried again. */
  #request<Result>(signal: AbortSignal, request: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { retryTimeoutMs, activityRetryTimeoutMs } = this.#settings;
    const cancellation = runningActivity();
    return withRetries(
      () => this.#slots.run(signal, () => withTimeLimit(requestTimeLimitMs, signal, request)),
      {
        signal,
        timeoutMs: cancellation === undefined ? retryTimeoutMs : activityRetryTimeoutMs,
        giveUp: cancellation,
      },
    );
  }
}

async function describe(payload: Payload): Promise<LargePayload> {
  const data = payload.data ?? new Uint8Array();
  const metadata = metadataFromRecord(payload.metadata);
  return { metadata, data, size: data.byteLength, digest: await digestInSlices(data) };
}

function keyOf(reference: BlobReference): string | undefined {
  return reference.version === 'v1' ? undefined : reference.key;
}

/** The same payloads in the same order, with those selected replaced, all of them in one go. */
async function replaceSome(
  payloads: Payload[],
  isSelected: (payload: Payload) => boolean,
  replace: (selected: readonly Payload[]) => Promise<Payload[]>,
): Promise<Payload[]> {
  const selection = payloads.map(isSelected);
  const selected = payloads.filter((_, index) => selection[index]);
  if (selected.length === 0) return payloads;
  const replacements = (await replace(selected)).values();
  return payloads.map((payload, index) =>
    selection[index] ? (replacements.next().value as Payload) : payload,
  );
}
