import type { LargePayloadStore } from '@largepayload/crds';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { ByteSource } from '../../bytes/byte-streams.ts';
import type { ListedObject } from '../driver.ts';
import type { CredentialsSource } from './credentials/credentials-source.ts';

/** `spec.storage.s3` of a manifest. */
export type S3Location = NonNullable<LargePayloadStore['spec']['storage']['s3']>;

/**
 * What the driver asks of a bucket. `aws-sdk-client.ts` does it with Amazon's SDK, and is all that knows it. Each method
 * makes one request and no retries, keeps the deadlines of `http-transport.ts`, and rejects with an error of which
 * `faultOf` knows the cause, or, once the signal is aborted, with any error.
 */
export interface S3Client {
  /** Where the bucket is, for messages. */
  readonly place: string;

  /** @param ifAbsent create-only: status 412 when an object has the key */
  put(
    key: string,
    body: ObjectBody,
    facts: BlobFacts,
    options: { ifAbsent: boolean; signal: AbortSignal },
  ): Promise<void>;

  /** `undefined`: the service says 404; as that answer has no body, the bucket may be missing too */
  head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined>;

  /** The object, or only the date of the answer that there is none. The caller reads or closes what it gets. */
  get(key: string, signal: AbortSignal): Promise<ObjectAnswer>;

  list(query: ListQuery, signal: AbortSignal): Promise<ListAnswer>;

  /** Deletes at most 1,000 objects, and tells what the answer says of each. Whom it does not name it may not have deleted. */
  deleteObjects(keys: readonly string[], signal: AbortSignal): Promise<DeleteAnswer>;

  /** Deletes one object; resolves only when the answer proves that it is not there, any more or at all. */
  deleteObject(key: string, signal: AbortSignal): Promise<void>;

  /** Whether what is deleted or replaced is kept as an older version. */
  keepsVersions(signal: AbortSignal): Promise<boolean>;

  /** Why a request failed; `undefined` for an error that is none of the service, the network or the credentials. */
  faultOf(error: unknown): Fault | undefined;

  /** Connections that requests hold, those kept for further requests not counted. */
  connectionsInUse(): number;

  close(): void;
}

/** Chunks in memory, which can be sent again, or the body as it arrives, which cannot. */
export type ObjectBody = readonly Buffer[] | ByteSource;

export interface ObjectHead {
  /** bytes */
  readonly size: number;
  /** `sha256:` + 64 hex digits of the whole object, as the service checked and kept it */
  readonly digest: string | undefined;
}

export interface ObjectAnswer {
  readonly object: { readonly size: number; readonly body: AnswerBody } | undefined;
  /** the service's clock, ms since the epoch, cut to the second */
  readonly date: number | undefined;
}

/** Bytes that are still on their way. Reading fails with errors that `faultOf` knows, and with what the sink throws. */
export interface AnswerBody extends ByteSource {
  /** Resolves when no connection is held for it any more. */
  close(): Promise<void>;
}

export interface ListQuery {
  readonly prefix: string;
  /** keys that go on after the prefix beyond a slash are told as one */
  readonly byFolder?: boolean;
  readonly limit?: number;
  /** `next` of the answer before */
  readonly from?: string | undefined;
}

export interface ListAnswer {
  /** in the order of their keys */
  readonly objects: readonly ListedObject[];
  /** with `byFolder`: what keys begin with up to the slash, each once */
  readonly folders: readonly string[];
  /** `undefined`: that was all */
  readonly next: string | undefined;
}

/** As the service wrote it, the keys too. */
export interface DeleteAnswer {
  /** whether it is a document of that name, as a page is not */
  readonly isResult: boolean;
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly key: string; readonly fault: Fault }[];
}

/** What is known of a failure. */
export interface Fault {
  /** who failed to give credentials; absent: the service itself, or the way to it */
  readonly source?: CredentialsSource | undefined;
  /** `undefined`: no answer */
  readonly status: number | undefined;
  /** of the service, such as `SlowDown`; of the network, such as `ECONNREFUSED`; else empty */
  readonly code: string;
  /** in the service's or the system's own words; no credentials in it */
  readonly message: string;
  /** ms that the service asks to wait */
  readonly retryAfter: number | undefined;
  /** region of the bucket, where the service tells it because we asked in another one */
  readonly region: string | undefined;
}
