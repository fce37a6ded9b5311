import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { MANAGED_BY } from '../../stores/labels.ts';

/** Pods of others that have not finished. */
export const UNFINISHED_PODS = {
  resource: PODS,
  labelSelector: `app.kubernetes.io/managed-by!=${MANAGED_BY}`,
  fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
} as const;

/** Above this number all pods of the namespace are listed. */
const MOST_SINGLE_READS = 30;
const READS_AT_A_TIME = 4;
/** pods of a page: each may have tens of KiB */
const PAGE_SIZE = 50;

/**
 * Reads pods of a namespace in full.
 * @param names of pods; others may be read, too
 * @param take called with each pod that was found
 * @throws ApiError
 */
export async function readPods(
  api: Pick<KubernetesApi, 'get' | 'list'>,
  namespace: string,
  names: readonly string[],
  take: (pod: KubernetesObject) => void,
  signal: AbortSignal,
): Promise<void> {
  if (names.length > MOST_SINGLE_READS) return await listPods(api, namespace, take, signal);
  const waiting = names.values();
  const work = async () => {
    for (const name of waiting) {
      const pod = await api.get({ resource: PODS, namespace, name }, signal);
      if (pod !== undefined) take(pod);
    }
  };
  await Promise.all(Array.from({ length: Math.min(READS_AT_A_TIME, names.length) }, work));
}

async function listPods(
  api: Pick<KubernetesApi, 'list'>,
  namespace: string,
  take: (pod: KubernetesObject) => void,
  signal: AbortSignal,
): Promise<void> {
  let from: string | undefined;
  do {
    const page = await api.list(
      { ...UNFINISHED_PODS, namespace },
      { limit: PAGE_SIZE, continue: from },
      signal,
    );
    for (const pod of page.items) take(pod);
    from = page.continue;
  } while (from !== undefined);
}
