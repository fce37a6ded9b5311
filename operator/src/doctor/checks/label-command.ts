import { INJECT_LABEL, STORE_ANNOTATION } from '../../injection/names.ts';
import type { StoreName } from '../../injection/selection.ts';
import { storeText } from '../situation.ts';

const LONGEST_LABEL = 63;

/** Makes the workers of a namespace have sidecars of a store. @param store `undefined`: a placeholder */
export function labelCommand(namespace: string, store: StoreName | undefined): string {
  const label = (value: string) =>
    `kubectl label --overwrite namespace ${namespace} ${INJECT_LABEL}=${value}`;
  if (store === undefined) return label('STORE');
  const text = store.namespace === namespace ? store.name : storeText(store);
  if (text.length <= LONGEST_LABEL) return label(text);
  return `kubectl annotate --overwrite namespace ${namespace} ${STORE_ANNOTATION}=${text} && ${label('true')}`;
}
