import type { LargePayloadStore } from '@largepayload/crds';

/** The schema's default, which a manifest without the field has too. */
const DEFAULT_THRESHOLD = 128_000;

/** The fields that are set but mean something in a cluster only. */
export function unusedFields({ spec }: LargePayloadStore): string[] {
  const fields: Record<string, unknown> = {
    'spec.thresholdSize': spec.thresholdSize === DEFAULT_THRESHOLD ? undefined : spec.thresholdSize,
    'spec.allowedNamespaces': spec.allowedNamespaces,
    'spec.gateway': Object.keys(spec.gateway ?? {}).length > 0 ? spec.gateway : undefined,
    'spec.reaper': spec.reaper,
    'spec.sidecar': spec.sidecar,
  };
  return Object.keys(fields).filter((field) => fields[field] !== undefined);
}
