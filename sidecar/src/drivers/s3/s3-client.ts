import type { LargePayloadStore } from '@largepayload/crds';
import type { Fault } from '../object-store/failures.ts';
import type { ObjectStoreClient } from '../object-store/object-store-client.ts';
import type { CredentialsSource } from './credentials/credentials-source.ts';

/** `spec.storage.s3` of a manifest. */
export type S3Location = NonNullable<LargePayloadStore['spec']['storage']['s3']>;

/** A bucket. `aws-sdk-client.ts` is one, and is all that knows Amazon's SDK. */
export interface S3Client extends ObjectStoreClient {
  /**
   * Deletes at most 1,000 objects. The service may not have deleted an object that its answer does not name.
   * `unsupported`: the service has no such request.
   */
  deleteObjects(keys: readonly string[], signal: AbortSignal): Promise<DeleteAnswer | 'unsupported'>;

  faultOf(error: unknown): S3Fault | undefined;
}

/** As the service wrote it, the keys too. */
export interface DeleteAnswer {
  /** whether it is a document of that name, as a page is not */
  readonly isResult: boolean;
  readonly deleted: readonly string[];
  readonly failed: readonly { readonly key: string; readonly fault: S3Fault }[];
}

export interface S3Fault extends Fault {
  /** who failed to give credentials; absent: the service itself, or the way to it */
  readonly source?: CredentialsSource | undefined;
  /** region of the bucket, where the service names it because we asked in another one */
  readonly region?: string | undefined;
}
