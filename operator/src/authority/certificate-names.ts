/** Further names of a certificate. Each costs its bytes in every handshake. */
export const MOST_FURTHER_NAMES = 200;

/**
 * The names of the certificate of a namespace: of all its Services, and the further names of its stores, sorted.
 * @param dnsNames of all stores; those above the limit are left out
 */
export function certificateNames(namespace: string, dnsNames: Iterable<string>): string[] {
  const further = [...new Set(dnsNames)].toSorted().slice(0, MOST_FURTHER_NAMES);
  return [`*.${namespace}.svc`, `*.${namespace}.svc.cluster.local`, ...further];
}
