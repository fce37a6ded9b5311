import { isCertificateName } from '@largepayload/crds';

/** The Secret with the certificate of the webhook, in the operator's namespace: `tls.crt`, `tls.key` and `ca.crt`. */
export const WEBHOOK_SECRET = 'largepayload-webhook-tls';

/** Further names of a certificate. Each costs its bytes in every handshake. */
export const MOST_FURTHER_NAMES = 200;

/**
 * The names of the certificate of a namespace: of all its Services, and the further names of its stores, sorted.
 * @param dnsNames of all stores
 * @returns `leftOut`: how many are above the limit; those at the end of the alphabet
 */
export function certificateNames(
  namespace: string,
  dnsNames: Iterable<string>,
): { readonly names: readonly string[]; readonly leftOut: number } {
  const all = [...new Set(dnsNames)].toSorted();
  const further = all.slice(0, MOST_FURTHER_NAMES);
  const names = [`*.${namespace}.svc`, `*.${namespace}.svc.cluster.local`, ...further];
  return { names, leftOut: all.length - further.length };
}

/**
 * The names of the certificate of a namespace of which a resource cannot be read: those of the certificate that is there may be its, and
 * stay. A person may have put that certificate there, so they stay only as far as a store may ask for them.
 * @param names of the stores that can be read
 * @param found in the certificate
 */
export function withKeptNames(names: readonly string[], found: readonly string[]): readonly string[] {
  const all = new Set([...names, ...found.filter(isCertificateName)]);
  return [...all].slice(0, 2 + MOST_FURTHER_NAMES);
}

/** The names of the webhook's certificate: the API server calls its Service by the first. */
export function webhookNames(service: string, namespace: string): readonly string[] {
  return [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];
}
