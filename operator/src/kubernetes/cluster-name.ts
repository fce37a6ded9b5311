import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type KubernetesApi } from './api.ts';
import { NAMESPACES } from './resources.ts';

const RETRY_AFTER_MS = 2_000;

/**
 * Tells this cluster from others: the UID of kube-system, which each cluster has; `undefined` where the operator may not read it.
 * Pods have it in their templates and would roll if it came and went, so this waits until a passing failure is over.
 * @throws the signal's reason
 */
export async function clusterUID(
  api: Pick<KubernetesApi, 'get'>,
  signal: AbortSignal,
  retryAfterMs = RETRY_AFTER_MS,
): Promise<string | undefined> {
  for (;;) {
    try {
      const found = await api.get({ resource: NAMESPACES, namespace: '', name: 'kube-system' }, signal);
      return found?.metadata.uid;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError && error.status === 403) return undefined;
      await sleep(retryAfterMs, undefined, { signal });
    }
  }
}
