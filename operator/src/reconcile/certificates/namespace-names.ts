import { certificateNames } from '../../authority/certificate-names.ts';
import type { StoreResource } from '../../stores/read-store.ts';
import type { CertificateRequest } from './certificate-source.ts';

/** Which namespaces have stores, and the names that those stores add to the certificate of their namespace. */
export class NamespaceNames {
  /** by namespace, then by key of the store; `undefined`: the resource cannot be read */
  readonly #names = new Map<string, Map<string, readonly string[] | undefined>>();

  /**
   * @param key `NAMESPACE/NAME`
   * @param store `undefined`: it has gone
   * @returns the namespace, if its certificate may have to change
   */
  notice(key: string, store: StoreResource | undefined): string | undefined {
    const [namespace = ''] = key.split('/');
    const stores = this.#names.get(namespace) ?? new Map<string, readonly string[] | undefined>();
    const isNew = stores.has(key) === (store === undefined);
    const before = stores.get(key);
    const after = store?.spec && (store.spec.gateway.dnsNames ?? []);
    if (!isNew && before?.join() === after?.join()) return undefined;
    if (store === undefined) stores.delete(key);
    else stores.set(key, after);
    if (stores.size === 0) this.#names.delete(namespace);
    else this.#names.set(namespace, stores);
    return namespace;
  }

  namespaces(): Iterable<string> {
    return this.#names.keys();
  }

  /** keys of the stores of a namespace */
  stores(namespace: string): Iterable<string> {
    return this.#names.get(namespace)?.keys() ?? [];
  }

  /** `undefined`: the namespace has no stores */
  request(namespace: string): CertificateRequest | undefined {
    const stores = this.#names.get(namespace);
    if (stores === undefined) return undefined;
    const all = [...stores.values()];
    const further = all.flatMap((dnsNames) => dnsNames ?? []);
    return { namespace, ...certificateNames(namespace, further), keepsNames: all.includes(undefined) };
  }
}
