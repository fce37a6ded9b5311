import { type LargePayloadStore, ManifestError } from '@largepayload/crds';

/** The schema's default, which a manifest without the field has too. */
const DEFAULT_THRESHOLD = 128_000;

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

/** The fields that are set but mean something in a cluster only. */
export function unusedFields({ spec }: LargePayloadStore): string[] {
  const fields: Record<string, unknown> = {
    'spec.thresholdSize': spec.thresholdSize === DEFAULT_THRESHOLD ? undefined : spec.thresholdSize,
    'spec.temporalNamespaces': spec.temporalNamespaces,
    'spec.allowedNamespaces': spec.allowedNamespaces,
    'spec.gateway': Object.keys(spec.gateway ?? {}).length > 0 ? spec.gateway : undefined,
    'spec.reaper': spec.reaper,
    'spec.sidecar': spec.sidecar,
  };
  return Object.keys(fields).filter((field) => fields[field] !== undefined);
}
