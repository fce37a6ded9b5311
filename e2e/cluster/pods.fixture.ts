import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBusyboxArchive } from './busybox-image.ts';
import type { Cluster } from './provider.ts';

export const IMAGE = 'localhost/self-test:1';

/** Puts an image of busybox on every node, with the name IMAGE. */
export async function loadBusybox(cluster: Cluster): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-test-'));
  try {
    await writeBusyboxArchive(join(folder, 'image.tar'), IMAGE);
    await cluster.loadImage(join(folder, 'image.tar'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The answer that a pod gets from another pod by the name of its Service. */
export async function answerThroughService(cluster: Cluster, nodeOfClient?: string): Promise<string> {
  await loadBusybox(cluster);
  const serve = 'mkdir /www; echo hello from web > /www/index.html; exec httpd -f -p 8080 -h /www';
  const ask =
    "nslookup web.default.svc.cluster.local && printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 web 80";
  await cluster.apply(pod(cluster, 'web', serve), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await cluster.kubectl('wait', '--for=condition=Ready', 'pod/web', '--timeout=60s');
  // kube-proxy routes to a pod only some time after the pod is ready.
  await cluster.apply(pod(cluster, 'client', `until ${ask}; do sleep 0.2; done`, nodeOfClient));
  await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/client', '--timeout=60s');
  return await cluster.kubectl('logs', 'client');
}

function pod(cluster: Cluster, name: string, script: string, nodeName?: string): object {
  const { imagePullPolicy } = cluster;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      ...(nodeName && { nodeName }),
      restartPolicy: 'Never',
      containers: [{ name, image: IMAGE, imagePullPolicy, command: ['sh', '-c', script] }],
    },
  };
}
