import { randomBytes } from 'node:crypto';
import { IMAGE } from '../fixtures/names.fixture.ts';
import type { StoreBed } from '../fixtures/store.fixture.ts';
import { slowly } from './slowly.fixture.ts';

interface Pod {
  readonly status: { readonly phase: string };
}

const LOCKED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 65_532,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/**
 * Stores 5 MB of random bytes and fetches them, from a pod of the store's namespace. @returns the output of the pod
 * @throws Error with the output of the pod
 */
export async function checkFromPod(bed: StoreBed, store: string): Promise<string> {
  const name = `check-${randomBytes(3).toString('hex')}`;
  const { registryImage, imagePullPolicy } = bed.cluster;
  const url = `http://${store}-gateway:8577`;
  const container = {
    name: 'check',
    image: registryImage ?? IMAGE,
    imagePullPolicy,
    args: ['/app/payload-store.mjs', 'check', '--size', '5M', '--url', url],
    securityContext: LOCKED,
  };
  const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, containers: [container] };
  await bed.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
  const phase = await slowly(async () => {
    const { status } = await bed.json<Pod>('get', 'pod', name);
    return ['Succeeded', 'Failed'].includes(status.phase) ? status.phase : undefined;
  });
  const words = (await bed.kubectl('logs', name)).trim();
  await bed.kubectl('delete', 'pod', name, '--wait=false');
  if (phase !== 'Succeeded') throw new Error(`the pod could not use the store: ${words}`);
  return words;
}
