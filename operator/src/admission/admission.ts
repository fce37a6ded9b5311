import { mapNamespace } from '../cluster/namespace.ts';
import type { StoreView } from '../cluster/store-view.ts';
import { INJECT_LABEL } from '../injection/names.ts';
import { EXCLUDED_NAMESPACES, isOwnPod, type Labelled } from '../injection/selection.ts';
import type { InjectionSettings } from '../injection/sidecar.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { NAMESPACES } from '../kubernetes/resources.ts';
import { withinLimit } from '../kubernetes/time-limit.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { type AdmissionDecision, decideAdmission, selectionOf } from './decide-admission.ts';
import { Refusal } from './refusal.ts';

/** The API server waits for 3 s. */
const NAMESPACE_LIMIT_MS = 1_000;
/** namespaces asked for at a time */
const MOST_QUESTIONS = 20;

export interface AdmissionParts {
  readonly api: Pick<KubernetesApi, 'get'>;
  readonly view: Pick<StoreView, 'isSynced' | 'store' | 'namespace'>;
  /** of the operator */
  readonly namespace: string;
  readonly settings: InjectionSettings;
}

/** Answers the API server about pods that are to be made, from what this replica has seen of the cluster. */
export class Admission {
  readonly #parts: AdmissionParts;
  #questions = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** @throws Refusal 500, 503 when it cannot be decided now: the `failurePolicy` of the webhook says what becomes of the pod */
  async admit({ pod }: AdmissionRequest, signal: AbortSignal): Promise<AdmissionDecision> {
    if (pod === undefined) return { result: 'out_of_scope', patch: [], warnings: [] };
    const { view, namespace: operatorNamespace, settings } = this.#parts;
    if (!view.isSynced)
      throw new Refusal(
        503,
        'this replica of the operator is starting, and does not know the stores yet: try again',
      );
    const place = { namespace: pod.namespace, pod: pod.object, operatorNamespace };
    const labelled = await this.#labelled(place, signal);
    const storeOf = ({ namespace, name }: { namespace: string; name: string }) =>
      view.store(`${namespace}/${name}`);
    return decideAdmission({ ...place, labelled, settings, storeOf });
  }

  /**
   * The labels of the namespace. The API server has called because the pod or its namespace is in scope. If it is not as far as this
   * replica has seen, then its view is old, and the namespace is read.
   */
  async #labelled(
    place: Omit<Parameters<typeof selectionOf>[0], 'labelled'>,
    signal: AbortSignal,
  ): Promise<Labelled> {
    const { namespace, operatorNamespace, pod } = place;
    const seen = this.#parts.view.namespace(namespace) ?? {};
    const { kind } = selectionOf({ ...place, labelled: seen });
    const isNever =
      [...EXCLUDED_NAMESPACES, operatorNamespace].includes(namespace) || isOwnPod(pod.metadata as Labelled);
    const isByPod = (pod.metadata as Labelled | undefined)?.labels?.[INJECT_LABEL] !== undefined;
    const contradicts = !isNever && !isByPod && (kind === 'none' || kind === 'optedOut');
    return contradicts ? await this.#read(namespace, signal) : seen;
  }

  async #read(namespace: string, signal: AbortSignal): Promise<Labelled> {
    const cannot = `the namespace ${namespace} has a label that this replica of the operator has not seen, and could not read`;
    if (this.#questions >= MOST_QUESTIONS)
      throw new Refusal(503, `${cannot}, as too many others are being read: try again`);
    this.#questions += 1;
    try {
      const { api } = this.#parts;
      const name = { resource: NAMESPACES, namespace: '', name: namespace };
      const found = await withinLimit(NAMESPACE_LIMIT_MS, signal, (limited) => api.get(name, limited));
      return found === undefined ? {} : mapNamespace(found);
    } catch (error) {
      throw new Refusal(500, `${cannot}: ${(error as Error).message}: try again`);
    } finally {
      this.#questions -= 1;
    }
  }
}
