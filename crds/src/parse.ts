import { ManifestError } from './manifest-error.ts';
import { type Exception, nodeOf } from './schema/node.ts';
import { type LargePayloadStore, StoreSchema } from './schema/store.ts';
import { validate } from './validate.ts';
import { findStore } from './yaml/documents.ts';

/** The exceptions that a reader allows. With `allowUnknownFields`, the value is without them. */
export type Leniency = Readonly<Partial<Record<Exception, boolean>>>;

/**
 * Reads the one LargePayloadStore of a YAML or JSON file and applies every default. Ignores documents of other kinds, and the
 * resource's `status`.
 * @param source the name of the file in errors
 * @throws ManifestError with all problems
 */
export function parseLargePayloadStore(
  text: string,
  source: string,
  leniency: Leniency = {},
): LargePayloadStore {
  return readLargePayloadStore(findStore(text, source), source, leniency);
}

/**
 * Reads a resource that is parsed already, and does not change it.
 * @throws ManifestError with all problems
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
