export { DurationError, formatDuration, parseDuration } from './duration.ts';
export { API_VERSION, GROUP, KIND, PLURAL, VERSION } from './identity.ts';
export { at, countAt, listAt, textAt, timeAt } from './json-fields.ts';
export { ManifestError, type Problem } from './manifest-error.ts';
export { type Leniency, parseLargePayloadStore, readLargePayloadStore } from './parse.ts';
export { putTimeLimit } from './put-time-limit.ts';
export { parseQuantity, QuantityError } from './quantity.ts';
export { REASONS, type Reason, type ReasonName } from './reasons.ts';
export { isReservedPrefix } from './schema/prefix.ts';
export { FOREVER } from './schema/retention.ts';
export type { LargePayloadStoreStatus } from './schema/status.ts';
export type { LargePayloadStore } from './schema/store.ts';
export {
  type ErrorReport,
  type FailureReport,
  type LeaseReport,
  type ReadFailure,
  type ReadStatusReport,
  type ReaperReport,
  readStatusReport,
  type StatusReport,
} from './status-report.ts';
export {
  placeOf,
  prefixOf,
  STORAGE_KINDS,
  type StorageKind,
  type StorageKindName,
  storageKindOf,
} from './storage-kinds.ts';
export { type UnsupportedField, unsupportedFields } from './unsupported.ts';
