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
