import { listAt, textAt } from '@largepayload/crds';
import type { KubernetesObject } from '../../kubernetes/api.ts';

/**
 * The part of a MutatingWebhookConfiguration that has to change, so that the API server trusts the certificates of a bundle;
 * `undefined`: nothing has to. Nothing else is in it: the rest is the chart's.
 * @param bundle certificates as PEM
 */
export function planBundle(configuration: KubernetesObject, bundle: string): KubernetesObject | undefined {
  const { apiVersion, kind, metadata } = configuration;
  const caBundle = Buffer.from(bundle).toString('base64');
  const webhooks = listAt(configuration, 'webhooks')
    .filter((webhook) => textAt(webhook, 'clientConfig', 'caBundle') !== caBundle)
    .map(({ name }) => ({ name, clientConfig: { caBundle } }));
  if (webhooks.length === 0) return undefined;
  // Entries that have gone since would be made anew, without what they need.
  const { name, resourceVersion = '' } = metadata;
  return { apiVersion, kind, metadata: { name, resourceVersion }, webhooks };
}
