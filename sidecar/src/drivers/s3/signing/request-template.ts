import type { TransportRequest } from '../../../http-client/transport.ts';
import { BAD_LOCATION } from '../answers/sdk-faults.ts';
import type { Credentials } from '../credentials/credentials-source.ts';
import { ALGORITHM, SignatureV4, signingTime } from './signature-v4.ts';
import { UNSIGNED } from './unsigned-payloads.ts';
import { encodedKey, encodedQuery, type Query } from './uri-encoding.ts';

/** The request of which a template is made is for this key, and signed by these credentials. */
export const SAMPLE_KEY = 'sample-key';
export const SAMPLE_CREDENTIALS = { accessKeyId: 'SAMPLE', secretAccessKey: 'SAMPLE' } as const;

/** Headers of each request anew, and those by which Amazon's SDK counts its own retries. */
const OF_ONE_REQUEST: ReadonlySet<string> = new Set([
  'authorization',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-checksum-sha256',
  'content-length',
  'amz-sdk-invocation-id',
  'amz-sdk-request',
]);
const NOTHING_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** A request as Amazon's SDK would send it. */
export interface SampleRequest extends TransportRequest {
  readonly query?: Query;
}

/** The body of a PUT, as its headers tell it. */
export interface BodyFacts {
  /** bytes */
  readonly size: number;
  /** SHA-256 of the bytes */
  readonly sha256: Buffer;
  /** whether the signature holds the bytes only by their checksum header. Default false */
  readonly isUnsigned?: boolean;
}

interface Parts {
  readonly to: Pick<TransportRequest, 'protocol' | 'hostname' | 'port' | 'method'>;
  /** before the key */
  readonly path: string;
  readonly query: string;
  readonly signedHeaders: Readonly<Record<string, string>>;
  readonly otherHeaders: Readonly<Record<string, string>>;
}

/** Requests of one kind for the objects of one bucket, which differ by key, body, time and credentials. */
export class RequestTemplate {
  readonly #parts: Parts;
  readonly #signature: SignatureV4;

  private constructor(parts: Parts, signature: SignatureV4) {
    this.#parts = parts;
    this.#signature = signature;
  }

  /** @throws Error with the code `BAD_LOCATION` for a bucket whose requests are signed in another way */
  static of(sample: SampleRequest | undefined): RequestTemplate {
    const { headers = {}, path = '', query = {} } = sample ?? {};
    const pattern = `^${ALGORITHM} Credential=${SAMPLE_CREDENTIALS.accessKeyId}/\\d+/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+),`;
    const [, region, service, names] = new RegExp(pattern).exec(headers.authorization ?? '') ?? [];
    if (sample === undefined || region === undefined || service === undefined || names === undefined)
      throw unsupportedSigning();
    if (!path.endsWith(`/${SAMPLE_KEY}`)) throw unsupportedSigning();
    const { protocol, hostname, port, method } = sample;
    const signed = new Set(names.split(';'));
    const lasting = Object.entries(headers).filter(([name]) => !OF_ONE_REQUEST.has(name));
    const parts = {
      to: { protocol, hostname, port, method },
      path: path.slice(0, -SAMPLE_KEY.length),
      query: encodedQuery(query).split('&').sort().join('&'),
      signedHeaders: Object.fromEntries(lasting.filter(([name]) => signed.has(name))),
      otherHeaders: Object.fromEntries(lasting.filter(([name]) => !signed.has(name))),
    };
    return new RequestTemplate(parts, new SignatureV4({ region, service }));
  }

  /** @param time ms since the epoch, by the service's clock */
  signed(
    key: string,
    body: BodyFacts | undefined,
    credentials: Credentials,
    time: number,
  ): Omit<TransportRequest, 'body'> {
    const { to, query, signedHeaders, otherHeaders } = this.#parts;
    const path = this.#parts.path + encodedKey(key);
    const payloadHash = payloadHashOf(body);
    const date = signingTime(time);
    const headers: Record<string, string> = { ...signedHeaders };
    headers['x-amz-date'] = date;
    headers['x-amz-content-sha256'] = payloadHash;
    if (credentials.sessionToken) headers['x-amz-security-token'] = credentials.sessionToken;
    if (body !== undefined) {
      headers['content-length'] = `${body.size}`;
      headers['x-amz-checksum-sha256'] = body.sha256.toString('base64');
    }
    const toSign = { method: to.method, path, query, headers, payloadHash };
    const authorization = this.#signature.authorization(toSign, credentials, date);
    const target = query === '' ? path : `${path}?${query}`;
    return { ...to, path: target, headers: { ...headers, ...otherHeaders, authorization } };
  }
}

function payloadHashOf(body: BodyFacts | undefined): string {
  if (body === undefined) return NOTHING_HASH;
  return body.isUnsigned === true ? UNSIGNED : body.sha256.toString('hex');
}

export function unsupportedSigning(): Error {
  const message =
    'the requests to this bucket have to be signed in a way that is not supported: it is a directory bucket (S3 Express)';
  return Object.assign(new Error(message), { code: BAD_LOCATION });
}
