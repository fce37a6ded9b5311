export interface ManifestOptions {
  readonly name?: string;
  readonly namespace?: string;
  /** such as `30d`; default `Forever` */
  readonly ttl?: string;
  readonly reaperInterval?: string;
  readonly temporalNamespaces?: readonly string[] | undefined;
  /** further fields of the spec */
  readonly spec?: object | undefined;
}

/** A manifest of a store with this storage, as `payload-store serve --config` reads it: JSON is YAML. */
export function manifestOn(
  storage: object,
  {
    name = 'test',
    namespace,
    ttl = 'Forever',
    reaperInterval = '1s',
    temporalNamespaces,
    spec,
  }: ManifestOptions = {},
): string {
  return JSON.stringify({
    apiVersion: 'largepayload.dev/v1alpha1',
    kind: 'LargePayloadStore',
    metadata: { name, namespace },
    spec: { storage, retention: { ttl, reaperInterval }, temporalNamespaces, ...spec },
  });
}
