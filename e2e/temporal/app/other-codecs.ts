import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const PayloadMessage = proto.temporal.api.common.v1.Payload;
const [deflateBytes, inflateBytes] = [promisify(deflate), promisify(inflate)];
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Wraps whole payloads, metadata included, as codecs of this kind do. */
abstract class WrappingCodec implements PayloadCodec {
  protected abstract readonly encoding: string;
  protected abstract wrap(bytes: Uint8Array): Promise<Uint8Array>;
  protected abstract unwrap(bytes: Uint8Array): Promise<Uint8Array>;

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return await Promise.all(
      payloads.map(async (payload) => ({
        metadata: { [METADATA_ENCODING_KEY]: Buffer.from(this.encoding) },
        data: await this.wrap(PayloadMessage.encode(payload).finish()),
      })),
    );
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return await Promise.all(
      payloads.map(async (payload) => {
        const encoding = Buffer.from(payload.metadata?.[METADATA_ENCODING_KEY] ?? []).toString();
        if (encoding !== this.encoding) return payload;
        return PayloadMessage.decode(await this.unwrap(payload.data ?? new Uint8Array()));
      }),
    );
  }
}

export class CompressingCodec extends WrappingCodec {
  protected readonly encoding = 'binary/deflate';
  protected wrap = (bytes: Uint8Array): Promise<Uint8Array> => deflateBytes(bytes);
  protected unwrap = (bytes: Uint8Array): Promise<Uint8Array> => inflateBytes(bytes);
}

/** AES-256-GCM with a random initialisation vector for each payload: IV, tag, ciphertext. */
export class EncryptingCodec extends WrappingCodec {
  protected readonly encoding = 'binary/aes-256-gcm';
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    super();
    this.#key = key;
  }

  protected async wrap(bytes: Uint8Array): Promise<Uint8Array> {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    const ciphertext = [cipher.update(bytes), cipher.final()];
    return Buffer.concat([iv, cipher.getAuthTag(), ...ciphertext]);
  }

  protected async unwrap(bytes: Uint8Array): Promise<Uint8Array> {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  }
}
