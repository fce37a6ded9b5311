import type { KubernetesApi } from '../kubernetes/api.ts';
import { connectToKubernetes } from '../kubernetes/client-node-api.ts';
import { ServerTime } from '../kubernetes/server-time.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import { type Question, readSituation } from './read-cluster.ts';
import { Reader } from './reader.ts';

export interface Access {
  /** path; `undefined`: as kubectl finds it, or the service account of this pod */
  readonly kubeconfig: string | undefined;
  /** of the kubeconfig; `undefined`: its current one */
  readonly context: string | undefined;
  /** of this program */
  readonly version: string;
}

export interface Cluster {
  readonly api: KubernetesApi & { readonly url: string };
  readonly time: ServerTime;
}

/** The API server does not answer, or does not know who asks. */
export class ClusterUnreachableError extends Error {
  override readonly name = 'ClusterUnreachableError';
}

/** Nothing is sent yet. @throws Error that describes the mistake in the kubeconfig */
export function connect(access: Access): Cluster {
  const time = new ServerTime();
  const onRequest = ({ date }: { readonly date: string | undefined }) => time.learn(date);
  return { api: connectToKubernetes({ ...access, program: 'payload-store', onRequest }), time };
}

/**
 * Walks the way from the workers of a namespace to their storage, and says what is wrong. Nothing is written.
 * @throws ClusterUnreachableError
 */
export async function runDoctor({ api, time }: Cluster, question: Question): Promise<Diagnosis> {
  const reader = new Reader(api);
  await reader.reach().catch((cause) => {
    const message = `the API server at ${api.url} cannot be asked: ${cause.message}; try: kubectl cluster-info`;
    throw new ClusterUnreachableError(message, { cause });
  });
  return diagnose(await readSituation(reader, question, () => time.now()));
}
