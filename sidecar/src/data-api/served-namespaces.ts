import { ServiceError } from '../errors/service-error.ts';
import { parseKey } from '../keys/key.ts';

/** The Temporal namespaces that a store serves (`spec.temporalNamespaces`); `undefined`: any. */
export type ServedNamespaces = ReadonlySet<string> | undefined;

/** @throws ServiceError `namespace_denied` */
export function assertServed(served: ServedNamespaces, namespace: string): void {
  if (served === undefined || served.has(namespace)) return;
  throw new ServiceError(
    'namespace_denied',
    `this store does not serve the Temporal namespace ${namespace}; spec.temporalNamespaces lists those that it does`,
  );
}

/** Whether or not a payload is stored under the key. @throws ServiceError `namespace_denied`, `invalid_key` */
export function assertKeyServed(served: ServedNamespaces, key: string): void {
  if (served !== undefined) assertServed(served, parseKey(key).namespace);
}

/** For what bears no namespace. @throws ServiceError `namespace_denied` */
export function assertUnrestricted(served: ServedNamespaces): void {
  if (served === undefined) return;
  throw new ServiceError(
    'namespace_denied',
    'references of version 1 do not say whose they are, and this store serves those of spec.temporalNamespaces only',
  );
}
