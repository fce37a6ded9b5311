import { findStore } from './documents.ts';
import { ManifestError } from './manifest-error.ts';
import { nodeOf } from './schema/node.ts';
import { type LargePayloadStore, StoreSchema } from './schema/store.ts';
import { validate } from './validate.ts';

/**
 * Reads the one LargePayloadStore of a YAML or JSON file and applies every default. Documents of other kinds are
 * passed over, and so is the resource's `status`.
 * @param source how to name the file in errors
 * @throws ManifestError with everything that is wrong, never only the first
 */
export function parseLargePayloadStore(text: string, source: string): LargePayloadStore {
  return readLargePayloadStore(findStore(text, source), source);
}

/**
 * The same of a resource that has been parsed already; it is left as it is.
 * @throws ManifestError with everything that is wrong
 */
export function readLargePayloadStore(
  resource: Readonly<Record<string, unknown>>,
  source: string,
): LargePayloadStore {
  const { status: _, ...manifest } = resource;
  const { value, problems } = validate(nodeOf(StoreSchema), manifest);
  if (problems.length > 0) throw new ManifestError(source, problems);
  return value as LargePayloadStore;
}
