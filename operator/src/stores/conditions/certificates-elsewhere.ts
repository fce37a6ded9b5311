import { identityOf, objectsInTheWay } from '../ownership.ts';
import type { Situation } from './component-view.ts';
import type { Finding } from './finding.ts';
import { quote } from './quote.ts';

/** A namespace that does not exist yet, or is being deleted, has no pods that would need the certificates. */
const NO_SUCH_NAMESPACE = /namespaces "[^"]*" not found|being terminated|NamespaceTerminating/;

/** Why pods of an allowed namespace do not find the certificates by which they trust the gateways. */
export function certificatesElsewhere({ observed, desired }: Situation): Finding | undefined {
  const { store, refusals } = observed;
  const isElsewhere = ({ namespace }: { readonly namespace: string }) => namespace !== store.namespace;
  const [object] = objectsInTheWay(observed, desired).filter(isElsewhere);
  if (object !== undefined) {
    const { name, namespace } = object;
    return {
      reason: 'CertificatesNotPublished',
      message: `the ConfigMap ${name} of namespace ${namespace} exists and was not made for this store, so pods there do not find the certificates that they should trust; rename or delete it, or remove the namespace from spec.allowedNamespaces`,
    };
  }
  // A refusal may be of a namespace that is allowed no longer.
  const wanted = new Set(desired.map(identityOf));
  const [refusal] = refusals.filter(
    (each) => isElsewhere(each) && wanted.has(identityOf(each)) && !NO_SUCH_NAMESPACE.test(each.message),
  );
  if (refusal === undefined) return undefined;
  return {
    reason: 'CertificatesNotPublished',
    message: `the ConfigMap ${refusal.name}, with the certificates that pods of namespace ${refusal.namespace} should trust, cannot be written: ${quote(refusal.message)}`,
  };
}
