export { activityFailureInterceptors } from './temporal/activity-execution.ts';
export { LargePayloadCodec } from './temporal/codec.ts';
export { externalSizeRemoved } from './temporal/external-size.ts';
export type { LargePayloadCodecOptions, PayloadContext } from './temporal/settings.ts';
export {
  BlobClient,
  type BlobClientOptions,
  type GetRequest,
  type PutRequest,
  type PutResult,
} from './transport/blob-client.ts';
export type { RequestBody } from './transport/request-body.ts';
export { digestOf, isDigest } from './wire/digest.ts';
export {
  DecodedBytesLimitError,
  PayloadIntegrityError,
  PayloadMetadataError,
  PayloadNotFoundError,
  PayloadReferenceError,
  PayloadRejectedError,
  PayloadStoreError,
  type PayloadStoreErrorDetails,
  PayloadStoreUnavailableError,
} from './wire/errors.ts';
export {
  decodeMetadataHeader,
  encodeMetadataHeader,
  type MetadataRecord,
  metadataFromRecord,
  metadataHash,
  metadataToRecord,
  type PayloadMetadata,
} from './wire/metadata.ts';
export {
  type BlobReference,
  type BlobReferenceV1,
  type BlobReferenceV2,
  decodeReference,
  encodeReference,
  isReference,
  referenceMarker,
} from './wire/reference.ts';
