import { textAt } from '@largepayload/crds';
import { readCertificate } from '../../authority/read-certificate.ts';
import type { StoreName } from '../../injection/selection.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { CA_KEY, caMapName, publishedCaMapName } from '../../stores/names.ts';
import { type Finding, ok, problem, unknown, warning } from '../finding.ts';
import { valueIn } from '../reading.ts';
import type { Situation, StoreSituation } from '../situation.ts';
import { splitBundle } from './bundle.ts';

/** The ConfigMap by which pods of a namespace trust the gateways of a store. */
export function caMapOf(store: StoreName, namespace: string): string {
  return store.namespace === namespace
    ? caMapName(store.name)
    : publishedCaMapName(store.name, store.namespace);
}

/** Whether workers have certificates by which they trust the gateways, and those of today. */
export function checkCertificates(store: StoreSituation, situation: Situation): readonly Finding[] {
  const { namespace, now } = situation;
  const name = caMapOf(store, namespace);
  const { workersCa } = store;
  if (workersCa.kind === 'unreadable') return [unknown(workersCa.why)];
  const logs = `kubectl --namespace ${store.namespace} describe largepayloadstore ${store.name}`;
  if (workersCa.kind !== 'found') {
    return [
      problem(
        `ConfigMap ${name} is not in ${namespace}: sidecars trust no gateway (503 ca_unreadable)`,
        logs,
      ),
    ];
  }
  return [judge(name, workersCa.value, valueIn(store.ownCa), now)];
}

function judge(name: string, map: KubernetesObject, own: KubernetesObject | undefined, now: number): Finding {
  const restore = `kubectl --namespace ${map.metadata.namespace} delete configmap ${name}   # the operator makes it again`;
  const ends = endsOf(map);
  if (ends === undefined) return problem(`ConfigMap ${name} has no certificate that can be read`, restore);
  const valid = ends.filter((each) => each.from <= now && now < each.until);
  if (valid.length === 0)
    return problem(`no certificate in ConfigMap ${name} is valid now: sidecars trust no gateway`, restore);
  const differs = own !== undefined && textAt(own, 'data', CA_KEY) !== textAt(map, 'data', CA_KEY);
  if (differs)
    return warning(`ConfigMap ${name} has other certificates than that of the store's namespace`, restore);
  const last = new Date(Math.max(...valid.map(({ until }) => until))).toISOString().slice(0, 10);
  return ok(`ConfigMap ${name} has the authority of the gateways, valid until ${last}`);
}

/** `undefined`: there is none, or one of them cannot be read */
function endsOf(
  map: KubernetesObject,
): readonly { readonly from: number; readonly until: number }[] | undefined {
  const certificates = splitBundle(textAt(map, 'data', CA_KEY) ?? '');
  try {
    const read = certificates.map(readCertificate);
    if (read.length === 0) return undefined;
    return read.map(({ notBefore, notAfter }) => ({ from: notBefore, until: notAfter }));
  } catch {
    return undefined;
  }
}
