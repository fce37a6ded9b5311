import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crd } from '@largepayload/crds/crd';
import { startControlPlane } from '@largepayload/testing/cluster/control-plane';
import { cpuSecondsOf } from '@largepayload/testing/processes/process-facts';
import type { KubernetesApi } from '../src/kubernetes/api.ts';
import { connectToKubernetes } from '../src/kubernetes/client-node-api.ts';
import { LARGE_PAYLOAD_STORES } from '../src/kubernetes/resources.ts';
import { AuditLog } from './audit-log.ts';
import { Fleet } from './fleet.ts';
import { OperatorProcess } from './operator-process.ts';
import { RunningPods } from './running-pods.ts';

const DEFINITIONS = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
};

/** An API server with a number of stores, on which the operator is measured. There are no nodes, so nothing becomes ready by itself. */
export interface Bed extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly auditLog: AuditLog;
  readonly api: KubernetesApi;
  /** path */
  readonly kubeconfig: string;
  /** s of processor time of API server and etcd so far */
  readonly serverCpuSeconds: number;
  /** @param args further arguments of the operator */
  startOperator(...args: readonly string[]): Promise<OperatorProcess>;
  /** Pods for all that the operator has made by then. */
  runPods(): Promise<RunningPods>;
}

/** @param nodeFlags of Node, which the operator is started with */
export async function startBed(stores: number, nodeFlags: readonly string[]): Promise<Bed> {
  const folder = await mkdtemp(join(tmpdir(), 'operator-bench-'));
  const auditLog = await AuditLog.create(folder);
  const plane = await startControlPlane({
    // Each store has an address.
    apiServerFlags: [...auditLog.apiServerFlags, '--service-cluster-ip-range=10.203.0.0/16'],
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const api = connectToKubernetes({ kubeconfig: plane.kubeconfig, version: 'bench' });
  const { signal } = new AbortController();
  await api.create(DEFINITIONS, crd(), signal);
  while (!(await isServed())) await sleep(50);
  const fleet = new Fleet(api, stores);
  await fleet.create();
  return {
    fleet,
    auditLog,
    api,
    kubeconfig: plane.kubeconfig,
    get serverCpuSeconds() {
      return cpuSecondsOf(plane.pids.apiServer) + cpuSecondsOf(plane.pids.etcd);
    },
    startOperator: (...args) =>
      OperatorProcess.start(plane.kubeconfig, join(folder, 'log', 'operator.log'), nodeFlags, args),
    runPods: () => RunningPods.start(api),
    async [Symbol.asyncDispose]() {
      await fleet[Symbol.asyncDispose]();
      await plane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };

  async function isServed(): Promise<boolean> {
    const page = api.list({ resource: LARGE_PAYLOAD_STORES }, { limit: 1 }, signal);
    return await page.then(
      () => true,
      () => false,
    );
  }
}
