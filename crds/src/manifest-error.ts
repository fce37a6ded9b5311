/** A problem of a manifest. */
export interface Problem {
  /** dotted path of the field, such as `spec.retention.ttl`; empty for a problem of the whole file */
  readonly path: string;
  readonly message: string;
}

/** A file may have thousands of problems, and a person reads the first few. */
const SHOWN = 50;

/** A file is no valid LargePayloadStore. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  /** the file, as its reader named it */
  readonly source: string;
  /** all problems, in the order of the schema; at least one */
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
