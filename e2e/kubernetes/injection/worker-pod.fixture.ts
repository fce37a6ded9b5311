import {
  INJECTED_ANNOTATION,
  type InjectedAnnotation,
  SERVICE_URL_VARIABLE,
  SIDECAR_CONTAINER,
  THRESHOLD_VARIABLE,
} from '@largepayload/operator/injection/names';
import type { Cluster } from '../../cluster/provider.ts';
import { IMAGE } from '../fixtures/names.fixture.ts';

export interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly [field: string]: unknown;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly [field: string]: unknown;
}

interface ContainerStatus {
  readonly name: string;
  readonly started?: boolean;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
}

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase: string;
    readonly podIP?: string;
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** Where a worker takes connections that it passes on to its store. */
export const RELAY_PORT = 9_000;

/**
 * A worker that does its work outside of the pod: a connection to `RELAY_PORT` is passed on to LARGE_PAYLOAD_SERVICE_URL, as the
 * worker has it.
 */
const RELAY = `
const { hostname, port } = new URL(process.env.${SERVICE_URL_VARIABLE} ?? 'http://not-injected.invalid:1');
net.createServer((near) => {
  const far = net.connect(port, hostname);
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
}).listen(${RELAY_PORT});
process.on('SIGTERM', process.exit);`;

const IDLE = 'process.on("SIGTERM", process.exit); setTimeout(() => {}, 3_600_000)';

/** Passes the Pod Security Standard `restricted`. */
export const LOCKED = {
  ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true },
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Containers of our image, whose entry point is node. */
export class Workers {
  readonly #image: { readonly image: string; readonly imagePullPolicy: string };

  constructor({ registryImage, imagePullPolicy }: Cluster) {
    this.#image = { image: registryImage ?? IMAGE, imagePullPolicy };
  }

  container(name: string, args: readonly string[], more: object = {}): Container {
    return { name, ...this.#image, args, securityContext: LOCKED, ...more };
  }

  relay(more: object = {}): Container {
    const startupProbe = { tcpSocket: { port: RELAY_PORT }, periodSeconds: 1, failureThreshold: 120 };
    return this.container('worker', ['-e', RELAY], { startupProbe, ...more });
  }

  idle(name = 'worker', more: object = {}): Container {
    return this.container(name, ['-e', IDLE], more);
  }

  /** Stores a payload and fetches it, then ends. */
  check(name = 'worker'): Container {
    return this.container(name, ['/app/payload-store.mjs', 'check', '--size', '2M']);
  }

  /** A relay, without more than a pod has to have. */
  pod(name: string, { labels, annotations, ...spec }: PodOptions = {}): Pod & Record<string, unknown> {
    const metadata = { name, ...(labels && { labels }), ...(annotations && { annotations }) };
    return {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata },
      spec: { containers: [this.relay()], ...spec } as PodSpec,
    };
  }

  /** A controller with a pod template. @param spec further fields of the controller's spec */
  controller(kind: string, name: string, spec: object = {}, podSpec: object = {}): Manifest {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [this.relay()], ...podSpec } };
    return {
      ...{ apiVersion: 'apps/v1', kind, metadata: { name } },
      spec: { selector: { matchLabels: labels }, template, ...spec },
    };
  }
}

interface PodOptions {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly [specField: string]: unknown;
}

export type Manifest = Record<string, unknown> & { readonly metadata: { readonly name: string } };

/** What injection has done with a pod, for comparisons. */
export interface Injection {
  /** STORE.NAMESPACE, by the annotation */
  readonly store: string | undefined;
  /** the place of the sidecar among the init containers, -1 without one */
  readonly place: number;
  readonly sidecars: number;
  /** names of the containers, sidecar not included, that lack one of the variables */
  readonly withoutVariables: readonly string[];
}

export function injectionOf({ metadata, spec }: Pod): Injection {
  const { initContainers = [], containers } = spec;
  const annotation = metadata.annotations?.[INJECTED_ANNOTATION];
  const others = [...initContainers, ...containers].filter(({ name }) => name !== SIDECAR_CONTAINER);
  const has = ({ env = [] }: Container, variable: string) => env.some(({ name }) => name === variable);
  return {
    store: annotation && (JSON.parse(annotation) as InjectedAnnotation).store,
    place: initContainers.findIndex(({ name }) => name === SIDECAR_CONTAINER),
    sidecars: initContainers.filter(isNativeSidecar).length,
    withoutVariables: others
      .filter((each) => ![SERVICE_URL_VARIABLE, THRESHOLD_VARIABLE].every((name) => has(each, name)))
      .map(({ name }) => name),
  };
}

const isNativeSidecar = ({ name, restartPolicy }: Container) =>
  name === SIDECAR_CONTAINER && restartPolicy === 'Always';

/** @param store STORE.NAMESPACE */
export const injectedFor = (store: string): Injection => ({
  ...{ store, place: 0, sidecars: 1 },
  withoutVariables: [],
});

export const isInjected = (pod: Pod) => injectionOf(pod).sidecars === 1;
