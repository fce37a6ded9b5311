import { findStore } from './documents.ts';
import { ManifestError, type Problem } from './manifest-error.ts';
import { nodeOf } from './schema/node.ts';
import { RESERVED_PREFIX } from './schema/prefix.ts';
import { type LargePayloadStore, StoreSchema } from './schema/store.ts';
import { validate } from './validate.ts';

/** What is no error for a store that exists. */
export interface Leniency {
  /** a prefix that 0.1 allowed, see `isReservedPrefix` */
  readonly allowReservedPrefix?: boolean;
}

/**
 * Reads the one LargePayloadStore of a YAML or JSON file and applies every default. Documents of other kinds are
 * passed over, and so is the resource's `status`.
 * @param source how to name the file in errors
 * @throws ManifestError with everything that is wrong, never only the first
 */
export function parseLargePayloadStore(
  text: string,
  source: string,
  leniency: Leniency = {},
): LargePayloadStore {
  return readLargePayloadStore(findStore(text, source), source, leniency);
}

/**
 * The same of a resource that has been parsed already; it is left as it is.
 * @throws ManifestError with everything that is wrong
 */
export function readLargePayloadStore(
  resource: Readonly<Record<string, unknown>>,
  source: string,
  { allowReservedPrefix = false }: Leniency = {},
): LargePayloadStore {
  const { status: _, ...manifest } = resource;
  const { value, problems } = validate(nodeOf(StoreSchema), manifest);
  const told = allowReservedPrefix ? problems.filter((problem) => !isOfReservedPrefix(problem)) : problems;
  if (told.length > 0) throw new ManifestError(source, told);
  return value as LargePayloadStore;
}

function isOfReservedPrefix({ path, message }: Problem): boolean {
  return /^spec\.storage\.\w+\.prefix$/.test(path) && message.endsWith(RESERVED_PREFIX);
}
