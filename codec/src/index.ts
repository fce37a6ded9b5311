export { activityFailureInterceptors } from './activity-execution.ts';
export {
  BlobClient,
  type BlobClientOptions,
  type GetRequest,
  type PutRequest,
  type PutResult,
} from './blob-client.ts';
export { LargePayloadCodec } from './codec.ts';
export { digestOf, isDigest } from './digest.ts';
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
} from './errors.ts';
export { externalSizeRemoved } from './external-size.ts';
export {
  decodeMetadataHeader,
  encodeMetadataHeader,
  type MetadataRecord,
  metadataFromRecord,
  metadataHash,
  metadataToRecord,
  type PayloadMetadata,
} from './metadata.ts';
export {
  type BlobReference,
  type BlobReferenceV1,
  type BlobReferenceV2,
  decodeReference,
  encodeReference,
  isReference,
  referenceMarker,
} from './reference.ts';
export type { RequestBody } from './request-body.ts';
export type { LargePayloadCodecOptions, PayloadContext } from './settings.ts';
