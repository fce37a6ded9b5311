/** One thing wrong with a manifest. */
export interface Problem {
  /** Dotted path of the field, such as `spec.retention.ttl`; empty where the file as a whole is meant. */
  readonly path: string;
  readonly message: string;
}

/** A file can be wrong a thousand times; a person reads the first few. */
const SHOWN = 50;

/** A file that is no valid LargePayloadStore, with everything that is wrong with it. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  /** The file, as it was named by whoever read it. */
  readonly source: string;
  /** All problems, in the order of the schema; at least one. */
  readonly problems: readonly Problem[];

  constructor(source: string, problems: readonly Problem[], options?: ErrorOptions) {
    const lines = problems
      .slice(0, SHOWN)
      .map(({ path, message }) => `\n  ${path ? `${path}: ` : ''}${message}`);
    const rest = problems.length > SHOWN ? `\n  and ${problems.length - SHOWN} more` : '';
    super(`${source} is not a valid LargePayloadStore:${lines.join('')}${rest}`, options);
    this.source = source;
    this.problems = problems;
  }
}
