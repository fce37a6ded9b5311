export { DurationError, formatDuration, parseDuration } from './duration.ts';
export { API_VERSION, GROUP, KIND, PLURAL, VERSION } from './identity.ts';
export { ManifestError, type Problem } from './manifest-error.ts';
export { parseLargePayloadStore, readLargePayloadStore } from './parse.ts';
export { putTimeLimit } from './put-time-limit.ts';
export { parseQuantity, QuantityError } from './quantity.ts';
export { FOREVER } from './schema/retention.ts';
export type { LargePayloadStoreStatus } from './schema/status.ts';
export type { LargePayloadStore } from './schema/store.ts';
