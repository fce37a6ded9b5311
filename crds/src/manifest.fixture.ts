import { ManifestError, type Problem } from './manifest-error.ts';
import { parseLargePayloadStore } from './parse.ts';

type Fields = Record<string, unknown>;

export const smallestSpec = { storage: { s3: { bucket: 'payloads' } }, retention: { ttl: '30d' } };

/** A manifest as JSON text, which is YAML; fields of `spec` replace those of the smallest one that is valid. */
export function manifest(spec: Fields = {}, metadata: Fields = { name: 'orders' }): string {
  return JSON.stringify({
    apiVersion: 'largepayload.dev/v1alpha1',
    kind: 'LargePayloadStore',
    metadata,
    spec: { ...smallestSpec, ...spec },
  });
}

/** The problems of a manifest. @throws every error but a ManifestError */
export function problemsOf(text: string): readonly Problem[] {
  try {
    parseLargePayloadStore(text, 'store.yaml');
    return [];
  } catch (error) {
    if (error instanceof ManifestError) return error.problems;
    throw error;
  }
}

/** The same, a line for each problem. */
export function linesOf(text: string): string[] {
  return problemsOf(text).map(({ path, message }) => (path ? `${path}: ${message}` : message));
}
