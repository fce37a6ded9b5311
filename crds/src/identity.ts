/** What names the custom resource to Kubernetes and in a manifest. */
export const GROUP = 'largepayload.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;
export const KIND = 'LargePayloadStore';
export const PLURAL = 'largepayloadstores';
