import { inject } from 'vitest';
import { findCluster } from '../../cluster/clusters.ts';
import type { Cluster } from '../../cluster/provider.ts';

/** What every test file uses: one cluster with the operator in it, one S3 server that pods reach. */
export interface Suite {
  readonly clusterName: string;
  /** of the S3 server */
  readonly endpoint: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly kubernetesSuite: Suite;
  }
}

export const OPERATOR_NAMESPACE = 'large-payload-system';
export const OPERATOR = 'large-payload-operator';

let found: Promise<Cluster> | undefined;

/** The suite's cluster. Tests run where it can be reached, so that pods and Services can be called as they are. */
export async function suiteCluster(): Promise<Cluster> {
  const { clusterName } = inject('kubernetesSuite');
  found ??= findCluster(clusterName).then((cluster) => cluster ?? Promise.reject(new Error('it has gone')));
  return await found;
}
