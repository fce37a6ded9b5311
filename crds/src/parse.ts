import { findStore } from './documents.ts';
import { ManifestError } from './manifest-error.ts';
import { type Exception, nodeOf } from './schema/node.ts';
import { type LargePayloadStore, StoreSchema } from './schema/store.ts';
import { validate } from './validate.ts';

/** Exceptions that a reader allows. Unknown fields are left out then. */
export type Leniency = Readonly<Partial<Record<Exception, boolean>>>;

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
  leniency: Leniency = {},
): LargePayloadStore {
  const { status: _, ...manifest } = resource;
  const { value, problems } = validate(nodeOf(StoreSchema), manifest);
  const errors = problems
    .filter(({ exception }) => exception === undefined || leniency[exception] !== true)
    .map(({ path, message }) => ({ path, message }));
  if (errors.length > 0) throw new ManifestError(source, errors);
  return value as LargePayloadStore;
}
