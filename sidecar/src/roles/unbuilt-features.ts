import { type LargePayloadStore, ManifestError } from '@largepayload/crds';

/** Refuses what this version cannot do, rather than run without it. @throws ManifestError */
export function assertBuilt({ spec, metadata }: LargePayloadStore): void {
  const problems = [];
  for (const backend of ['gcs', 'azure'] as const) {
    if (spec.storage[backend] !== undefined) {
      problems.push({
        path: `spec.storage.${backend}`,
        message: 'this version stores on a filesystem or in S3 only',
      });
    }
  }
  if (spec.retention.temporal !== undefined) {
    problems.push({
      path: 'spec.retention.temporal',
      message:
        'this version cannot ask Temporal whether a payload is in use; it would expire payloads that should be held',
    });
  }
  if (problems.length > 0) throw new ManifestError(`LargePayloadStore ${metadata.name}`, problems);
}
