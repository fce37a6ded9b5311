/** The names of the custom resource in Kubernetes and in a manifest. */
export const GROUP = 'largepayload.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;
export const KIND = 'LargePayloadStore';
export const PLURAL = 'largepayloadstores';
