import { startControlPlane } from '@largepayload/testing/cluster/control-plane';
import { connectToKubernetes } from '../src/kubernetes/client-node-api.ts';
import { policyObjects } from '../src/injection/policy/policy-objects.ts';
import { NAMESPACES, LEASES } from '../src/kubernetes/resources.ts';
import { cpuSecondsOf } from '@largepayload/testing/processes/process-facts';
import { setTimeout as sleep } from 'node:timers/promises';
import { admissions } from './admitted-pods.ts';
const plane = await startControlPlane({ say: console.error });
const api = connectToKubernetes({ kubeconfig: plane.kubeconfig, version: 'bench' });
const { signal } = new AbortController();
const settings = { image: 'i', imagePullPolicy: 'Always', imagePullSecrets: [], runAsUser: 1, version: '1', failurePolicy: 'Fail' as const, operatorNamespace: 'op' };
const ns = async (name: string, labels = {}) => api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }, signal);
await ns('outside');
for (let i = 0; i < 10; i++) await ns(`bench-${i}`, { 'largepayload.dev/inject': `s${i}` });
async function leases(n: number) {
  const b = cpuSecondsOf(plane.pids.apiServer);
  for (let i = 0; i < n; i++) await api.create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: crypto.randomUUID(), namespace: 'outside' }, spec: {} } as any, signal);
  return ((cpuSecondsOf(plane.pids.apiServer) - b) * 1000) / n;
}
const show = async (what: string) => {
  for (;;) { const b = cpuSecondsOf(plane.pids.apiServer); await sleep(3000); if (cpuSecondsOf(plane.pids.apiServer) - b < 0.2) break; }
  await admissions(api, plane.pids.apiServer, 'outside', 50);
  console.log(what, 'outside', await admissions(api, plane.pids.apiServer, 'outside', 400), 'inside', await admissions(api, plane.pids.apiServer, 'bench-3', 200), 'lease cpu', await leases(400));
};
await show('none');
const N = 200;
async function applyAll(change: (o: any, kind: string) => any) {
  let next = 0;
  const t = performance.now();
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (next < N) {
      const i = next++;
      for (const o of policyObjects({ name: `s${i}`, namespace: `bench-${i % 10}`, spec: {} as any }, settings)) {
        const object = structuredClone(o.object);
        change(object, o.name);
        await api.apply(o.resource, object, { force: true }, signal);
      }
    }
  }));
  console.log('applied in', performance.now() - t, 'server cpu', cpuSecondsOf(plane.pids.apiServer));
}
const names = (o: any, i: number) => ({ key: 'kubernetes.io/metadata.name', operator: 'In', values: [o.metadata.labels['largepayload.dev/store-namespace']] });
await applyAll(() => {}); // C: as is: name+inject in namespace binding, name in pod binding
console.log('cpu', cpuSecondsOf(plane.pids.apiServer)); await show('asis'); console.log('cpu', cpuSecondsOf(plane.pids.apiServer));
await applyAll((o) => { if (o.kind.endsWith('Policy')) o.spec.matchConstraints.namespaceSelector = { matchExpressions: [names(o, 0)] }; });
await show('A');
await applyAll((o, n) => { if (n.endsWith('-namespace')) o.spec.matchResources.namespaceSelector.matchExpressions.shift(); if (n.endsWith('-pod')) o.spec.matchResources.namespaceSelector = {}; });
await show('B');
await plane.stop();
