import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** For what a signature holds, beside its day. */
export interface SigningScope {
  readonly region: string;
  /** as AWS names it, such as `s3` */
  readonly service: string;
}

export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface RequestToSign {
  readonly method: string;
  /** encoded, as it is sent: S3 takes it so, other services encode it twice */
  readonly path: string;
  /** encoded, and sorted by name; empty: there is none */
  readonly query: string;
  /** those that are signed: `host`, `x-amz-date`, and all that must not be changed; names in lower case */
  readonly headers: Readonly<Record<string, string>>;
  /** what `x-amz-content-sha256` says: hex of the body's SHA-256, or that it is not signed */
  readonly payloadHash: string;
}

/**
 * Signs requests by AWS Signature Version 4 in the header `Authorization`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export class SignatureV4 {
  readonly #scope: SigningScope;
  /** Derived from the secret by four HMACs, and good for a day. */
  #derived: { readonly secret: string; readonly day: string; readonly key: KeyObject } | undefined;

  constructor(scope: SigningScope) {
    this.#scope = scope;
  }

  /** @param time `YYYYMMDDThhmmssZ`, which the header `x-amz-date` says too; see `signingTime` */
  authorization(
    { method, path, query, headers, payloadHash }: RequestToSign,
    { accessKeyId, secretAccessKey }: SigningKeys,
    time: string,
  ): string {
    const day = time.slice(0, 8);
    const { region, service } = this.#scope;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const names = Object.keys(headers).sort();
    const signedHeaders = names.join(';');
    let lines = '';
    for (const name of names) lines += `${name}:${plain(headers[name] as string)}\n`;
    const canonical = `${method}\n${path}\n${query}\n${lines}\n${signedHeaders}\n${payloadHash}`;
    const toSign = `${ALGORITHM}\n${time}\n${scope}\n${hash('sha256', canonical)}`;
    const signature = createHmac('sha256', this.#keyOf(secretAccessKey, day)).update(toSign).digest('hex');
    return `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  }

  #keyOf(secret: string, day: string): KeyObject {
    if (this.#derived?.secret !== secret || this.#derived.day !== day) {
      const { region, service } = this.#scope;
      const steps = [day, region, service, 'aws4_request'];
      const key = steps.reduce(hmac, Buffer.from(`AWS4${secret}`));
      this.#derived = { secret, day, key: createSecretKey(key) };
    }
    return this.#derived.key;
  }
}

/** @param time ms since the epoch */
export function signingTime(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

function hmac(key: Buffer<ArrayBuffer>, text: string): Buffer<ArrayBuffer> {
  return createHmac('sha256', key).update(text).digest();
}

/** A header's value as it is signed: without spaces around it, and with one where there are more. */
function plain(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}
