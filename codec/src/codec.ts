import type { Payload, PayloadCodec } from '@temporalio/common';
import { BlobClient } from './blob-client.ts';
import { digestOf } from './digest.ts';
import { metadataFromRecord, metadataToRecord } from './metadata.ts';
import { protoSize } from './proto-size.ts';
import { type BlobReference, decodeReference, encodeReference, isReference } from './reference.ts';
import { type LargePayloadCodecOptions, resolveSettings } from './settings.ts';

/**
 * A Temporal payload codec that keeps large payloads in a blob service and puts references to them into the history.
 * Its references are those of DataDog's Large Payload Service, so codecs of both kinds read each other's.
 * Put it last in `payloadCodecs`: what comes after it would see references instead of payloads.
 */
export class LargePayloadCodec implements PayloadCodec {
  readonly #client: BlobClient;
  readonly #namespace: string;
  readonly #thresholdBytes: number;

  /** @throws TypeError when a setting is missing or wrong; nothing is connected to yet. */
  constructor(options: LargePayloadCodecOptions = {}) {
    const { url, namespace, thresholdBytes } = resolveSettings(options, process.env);
    this.#client = new BlobClient({ url });
    this.#namespace = namespace;
    this.#thresholdBytes = thresholdBytes;
  }

  /**
   * Stores every payload above the threshold and returns references in their places. Payloads that are references
   * already are left as they are.
   * @throws PayloadStoreError, in one of its subclasses, when a payload could not be stored.
   */
  async encode(payloads: Payload[]): Promise<Payload[]> {
    const encoded: Payload[] = [];
    for (const payload of payloads) {
      const isStored = protoSize(payload) > this.#thresholdBytes && !isReference(payload);
      encoded.push(isStored ? await this.#store(payload) : payload);
    }
    return encoded;
  }

  /**
   * Replaces every reference by the payload it stands for, with length and digest verified.
   * @throws PayloadReferenceError when a reference is malformed, PayloadNotFoundError when the store has no such
   * payload, PayloadIntegrityError when it has other bytes, or another subclass of PayloadStoreError.
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    const decoded: Payload[] = [];
    for (const payload of payloads) {
      decoded.push(isReference(payload) ? await this.#retrieve(payload) : payload);
    }
    return decoded;
  }

  async #store(payload: Payload): Promise<Payload> {
    const metadata = metadataFromRecord(payload.metadata);
    const data = payload.data ?? new Uint8Array();
    const digest = digestOf(data);
    const size = data.byteLength;
    const { key } = await this.#client.put({
      namespace: this.#namespace,
      digest,
      size,
      metadata,
      body: data,
    });
    // What is neither metadata nor data has no place in a reference, but stays on the payload that carries it.
    return { ...payload, ...encodeReference({ version: 'v2', metadata, size, digest, key }) };
  }

  async #retrieve(payload: Payload): Promise<Payload> {
    const reference = decodeReference(payload);
    const data = await this.#read(reference);
    return { ...payload, metadata: metadataToRecord(reference.metadata), data };
  }

  #read(reference: BlobReference): Promise<Uint8Array> {
    return reference.version === 'v1' ? this.#client.getByDigest(reference) : this.#client.get(reference);
  }
}
