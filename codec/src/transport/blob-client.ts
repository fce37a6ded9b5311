import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { isDigest } from '../wire/digest.ts';
import {
  PayloadIntegrityError,
  type PayloadStoreError,
  PayloadStoreUnavailableError,
} from '../wire/errors.ts';
import {
  assertStorableMetadata,
  encodeMetadataHeader,
  metadataHash,
  type PayloadMetadata,
} from '../wire/metadata.ts';
import { putTimeLimit } from '../wire/put-time-limit.ts';
import { createAgent } from './agent.ts';
import { type Connection, exchange } from './exchange.ts';
import { foreignAnswer } from './foreign-answer.ts';
import { collectPayload, streamPayload } from './payload-response.ts';
import type { ExpectedPayload } from './payload-verifier.ts';
import type { RequestBody } from './request-body.ts';
import { errorOfResponse } from './response-error.ts';
import { parseJsonObject, readText } from './response-text.ts';
import { type AccessFiles, ServiceAccess } from './service-access.ts';
import { parseServiceUrl, urlBelow } from './service-url.ts';
import { stopwatch } from './stopwatch.ts';

const octets = 'application/octet-stream';
const defaultIdleTimeoutMs = 30_000;
/** Milliseconds for each byte of a payload, in which slow storage may be busy with it after its last byte was sent. */
const storingMsPerByte = 1_000 / (16 * 1024 * 1024);
const keyPattern = /^\/?(blobs|expires-[^/]+)\/.+\/sha256:[0-9a-f]{64}\/sha256:[0-9a-f]{64}$/;
/** An error body only decorates a status that is already known. */
const errorBodyTimeoutMs = 5_000;

export interface BlobClientOptions extends AccessFiles {
  /** Base URL of the service, e.g. `http://127.0.0.1:8577`. */
  readonly url: string;
  /**
   * Milliseconds without a byte in either direction, connecting included, after which a request fails; 30,000 by default,
   * and one second more for every 16 MiB that are being stored.
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Whether a 404 with DataDog's plain text "blob not found" is believed, false by default: its service has no error codes, by
   * which an answer of the blob service is told from one of a proxy.
   */
  readonly acceptPlainTextErrors?: boolean | undefined;
}

export interface PutRequest {
  /** Temporal namespace. */
  readonly namespace: string;
  /** Digest of the body, `sha256:` and hex. */
  readonly digest: string;
  /** Length of the body in bytes. */
  readonly size: number;
  readonly metadata: PayloadMetadata;
  /** Id of the owning workflow: the key then names it, unless the metadata has a `remote-codec/key-prefix`. */
  readonly workflowId?: string | undefined;
  /**
   * The bytes, or a function that opens a stream of them, which is called at most once in a request. The stream is
   * destroyed when the request ends; an IncomingMessage takes its connection with it, so pass it on through a
   * PassThrough if it is still to be answered.
   */
  readonly body: RequestBody;
  readonly signal?: AbortSignal | undefined;
}

export interface PutResult {
  readonly key: string;
  /** False when the service already had this payload. */
  readonly created: boolean;
}

export interface GetRequest {
  readonly key: string;
  /** Length in bytes that the payload must have. */
  readonly size: number;
  /** Digest that the payload must have. */
  readonly digest: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A client of the blob service's wire API v2, and of v1 for reading. One try for each call. Every method throws
 * PayloadStoreUnavailableError when the service cannot be reached or fails, PayloadRejectedError when it refuses,
 * TypeError for arguments that cannot be right, and the signal's reason when aborted.
 */
export class BlobClient {
  readonly #url: URL;
  readonly #connection: Connection;
  readonly #acceptPlainTextErrors: boolean;

  /** @throws TypeError when the URL is not one of a service, or a token would be sent without TLS. */
  constructor({
    url,
    idleTimeoutMs = defaultIdleTimeoutMs,
    acceptPlainTextErrors = false,
    ...files
  }: BlobClientOptions) {
    this.#acceptPlainTextErrors = acceptPlainTextErrors;
    this.#url = parseServiceUrl(url);
    const access = new ServiceAccess(this.#url, files);
    this.#connection = { agent: createAgent(this.#url.protocol, access), access, idleTimeoutMs };
  }

  /**
   * Stores a payload.
   * @throws PayloadMetadataError when the metadata has more entries, or its key prefix more segments, than a service takes;
   * PayloadIntegrityError when the service answers with a key that cannot be this payload's;
   * PayloadStoreUnavailableError `put_timeout` when the answer comes too late to be believed.
   */
  async put(request: PutRequest): Promise<PutResult> {
    const { namespace, digest, size, metadata, workflowId, body, signal } = request;
    assertDigestAndSize(digest, size);
    assertStorableMetadata(metadata);
    const elapsedMs = stopwatch();
    const { response, isBodySent } = await exchange(this.#connection, {
      method: 'PUT',
      url: urlBelow(this.#url, '/v2/blobs/put', { digest, namespace }),
      headers: {
        'Content-Type': octets,
        'Content-Length': String(size),
        'X-Temporal-Metadata': encodeMetadataHeader(metadata),
        ...(workflowId && { 'X-Payload-Store-Workflow-Id': Buffer.from(workflowId).toString('base64url') }),
      },
      body: { content: body, size },
      answerTimeoutMs: this.#connection.idleTimeoutMs + Math.ceil(size * storingMsPerByte),
      signal,
    });
    if (response.statusCode !== 200 && response.statusCode !== 201) {
      throw await this.#failure(response, 'put');
    }
    const key = storedKey(await readText(response, this.#connection.idleTimeoutMs));
    signal?.throwIfAborted();
    if (key === undefined || !isBodySent) {
      throw foreignAnswer(response, 'the answer to a put is not that of a blob service');
    }
    assertKeyBelongsTo(key, digest, metadata);
    assertInTime(key, elapsedMs());
    return { key, created: response.statusCode === 201 };
  }

  /**
   * Reads a whole payload and verifies it.
   * @throws PayloadNotFoundError; PayloadIntegrityError when the bytes are not those expected.
   */
  async get(request: GetRequest): Promise<Uint8Array> {
    const { key } = request;
    return collectPayload(await this.#open('/v2/blobs/get', { key }, request), request);
  }

  /**
   * Reads a payload that a v1 reference names.
   * @throws as {@link get} does.
   */
  async getByDigest({ size, digest, signal }: Omit<GetRequest, 'key'>): Promise<Uint8Array> {
    const request = { size, digest, signal };
    return collectPayload(await this.#open('/v1/blobs/get', { digest }, request), request);
  }

  /**
   * A payload of any size as a stream, once the service has answered that it has it. Bytes pass before they are
   * verified; the stream then ends, or fails as {@link get} does. Destroying it closes the connection.
   * @throws PayloadNotFoundError, and PayloadIntegrityError when another length is announced, before there is a stream.
   */
  async getStream(request: GetRequest): Promise<Readable> {
    const { key } = request;
    return streamPayload(await this.#open('/v2/blobs/get', { key }, request), request);
  }

  /** Closes all connections; calls in progress fail. */
  close(): void {
    this.#connection.agent.destroy();
  }

  async #open(
    path: string,
    query: Readonly<Record<string, string>>,
    { key, size, digest, signal }: ExpectedPayload,
  ): Promise<IncomingMessage> {
    assertDigestAndSize(digest, size);
    const { response } = await exchange(this.#connection, {
      method: 'GET',
      url: urlBelow(this.#url, path, query),
      headers: { 'Content-Type': octets, 'X-Payload-Expected-Content-Length': String(size) },
      key,
      signal,
    });
    if (response.statusCode === 200) return response;
    throw await this.#failure(response, 'get', key);
  }

  async #failure(
    response: IncomingMessage,
    operation: 'get' | 'put',
    key?: string,
  ): Promise<PayloadStoreError> {
    const failure = await errorOfResponse(response, {
      operation,
      key,
      timeoutMs: Math.min(this.#connection.idleTimeoutMs, errorBodyTimeoutMs),
      acceptPlainTextErrors: this.#acceptPlainTextErrors,
    });
    if (failure.code === 'token_missing' || failure.code === 'token_refused') {
      this.#connection.access.tokenRefused();
    }
    return failure;
  }
}

function assertDigestAndSize(digest: string, size: number): void {
  if (!isDigest(digest)) throw new TypeError('digest must be sha256: and 64 lower-case hex digits');
  if (!Number.isSafeInteger(size) || size < 0) throw new TypeError('size must be a whole number of bytes');
}

/** DataDog's service writes `Key`; its codec reads either case. */
function storedKey(text: string | undefined): string | undefined {
  const answer = parseJsonObject(text);
  const key = answer?.Key ?? answer?.key;
  // Other services answer JSON with a `key`, too.
  return typeof key === 'string' && keyPattern.test(key) ? key : undefined;
}

/** A reference with another key would lose the payload, which would show only when it is read. */
function assertKeyBelongsTo(key: string, digest: string, metadata: PayloadMetadata): void {
  if (key.startsWith('/') && key.endsWith(`/${digest}/${metadataHash(metadata)}`)) return;
  throw new PayloadIntegrityError('the service answered a put with the key of another payload', { key });
}

/** A payload that was acknowledged too late may be deleted before its TTL is over, so the put has to be repeated. */
function assertInTime(key: string, elapsedMs: number): void {
  const limitMs = putTimeLimit(key);
  if (elapsedMs <= limitMs) return;
  throw new PayloadStoreUnavailableError(
    `the put was acknowledged later than the ${limitMs / 1_000} s that its store allows`,
    { key, code: 'put_timeout' },
  );
}
