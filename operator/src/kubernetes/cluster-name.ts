import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type KubernetesApi } from './api.ts';
import { NAMESPACES } from './resources.ts';

const RETRY_AFTER = 2_000;

/**
 * What tells this cluster from others: the UID of a namespace that each has; `undefined` where the operator may not read it. It
 * ends up in pods, which would roll if it came and went, so that a failure that passes is waited for.
 * @throws the signal's reason
 */
export async function clusterUID(
  api: Pick<KubernetesApi, 'get'>,
  signal: AbortSignal,
  retryAfter = RETRY_AFTER,
): Promise<string | undefined> {
  for (;;) {
    try {
      const found = await api.get({ resource: NAMESPACES, namespace: '', name: 'kube-system' }, signal);
      return found?.metadata.uid;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError && error.status === 403) return undefined;
      await sleep(retryAfter, undefined, { signal });
    }
  }
}
