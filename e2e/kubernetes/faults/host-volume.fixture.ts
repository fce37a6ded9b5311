import { IMAGE } from '../fixtures/names.fixture.ts';
import type { StoreBed } from '../fixtures/store.fixture.ts';
import { slowly } from './slowly.fixture.ts';

const HOST_FOLDER = '/tmp';
/** fsGroup has no effect on a hostPath, so the maker of the folder gives it to the pods' user. */
const OWNER = 65_532;

interface Phased {
  readonly status: { readonly phase: string };
}

/** A PersistentVolume that is a folder of one node. The folder is removed with it. */
export class HostVolume implements AsyncDisposable {
  readonly #bed: StoreBed;
  readonly #name: string;
  readonly #node: string;

  private constructor(bed: StoreBed) {
    this.#bed = bed;
    this.#name = bed.namespace;
    this.#node = bed.cluster.nodeNames.at(-1) ?? '';
  }

  static async make(bed: StoreBed): Promise<HostVolume> {
    const volume = new HostVolume(bed);
    await volume.#runOnNode(`mkdirSync(folder); chownSync(folder, ${OWNER}, ${OWNER})`);
    const terms = [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [volume.#node] }] },
    ];
    await bed.cluster.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volume.#name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: '',
        hostPath: { path: `${HOST_FOLDER}/${volume.#name}`, type: 'Directory' },
        nodeAffinity: { required: { nodeSelectorTerms: terms } },
      },
    });
    return volume;
  }

  /**
   * Makes a claim and waits until it is bound to this volume. kube-scheduler (1.34) looks for a node when an update of the claim
   * arrives, and reads the claim from a cache that may get the update later. On a busy machine both updates of the binding can
   * be missed this way, and the pod then waits for five minutes. A change of the bound claim makes the scheduler look again.
   */
  async claim(name: string): Promise<void> {
    await this.#bed.apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        volumeName: this.#name,
        resources: { requests: { storage: '1Gi' } },
      },
    });
    await slowly(async () => {
      const { status } = await this.#bed.json<Phased>('get', 'pvc', name);
      return status.phase === 'Bound' ? true : undefined;
    });
    await this.#bed.kubectl('annotate', 'pvc', name, 'look-again=now');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bed.cluster.kubectl('delete', 'pv', this.#name, '--wait=false');
    await this.#runOnNode('rmSync(folder, { recursive: true, force: true })');
  }

  /** @param script JavaScript that knows node:fs and the folder */
  async #runOnNode(script: string): Promise<void> {
    const name = 'host-folder';
    const folder = JSON.stringify(`/host/${this.#name}`);
    const container = {
      name,
      image: this.#bed.cluster.registryImage ?? IMAGE,
      imagePullPolicy: this.#bed.cluster.imagePullPolicy,
      args: ['-e', `const { mkdirSync, chownSync, rmSync } = fs; const folder = ${folder}; ${script}`],
      securityContext: { runAsUser: 0 },
      volumeMounts: [{ name: 'host', mountPath: '/host' }],
    };
    const volumes = [{ name: 'host', hostPath: { path: HOST_FOLDER } }];
    const spec = { restartPolicy: 'Never', nodeName: this.#node, containers: [container], volumes };
    await this.#bed.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
    const phase = await slowly(async () => {
      const { status } = await this.#bed.json<Phased>('get', 'pod', name);
      return ['Succeeded', 'Failed'].includes(status.phase) ? status.phase : undefined;
    });
    const words = await this.#bed.kubectl('logs', name);
    await this.#bed.kubectl('delete', 'pod', name);
    if (phase !== 'Succeeded') throw new Error(`the folder of node ${this.#node}: ${words}`);
  }
}
