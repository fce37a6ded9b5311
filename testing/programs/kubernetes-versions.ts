import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'kubernetes');

/** A version of Kubernetes that can be built here. */
export interface KubernetesVersion {
  /** e.g. `1.37` */
  readonly minor: string;
  /** e.g. `1.37.2` */
  readonly full: string;
  /** Folder of its go.mod. */
  readonly folder: string;
}

/** Oldest first. */
export const KUBERNETES_VERSIONS: readonly KubernetesVersion[] = readdirSync(FOLDER)
  .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  .map((minor) => {
    const folder = join(FOLDER, minor);
    const goMod = readFileSync(join(folder, 'go.mod'), 'utf8');
    return { minor, full: /k8s\.io\/kubernetes v(\S+)/.exec(goMod)?.[1] ?? '', folder };
  });

/**
 * The version that this text names, e.g. `1.37`, `1.37.2` or `v1.37.2`; the newest for no text.
 * @throws Error that lists what is known
 */
export function kubernetesVersion(text: string | undefined): KubernetesVersion {
  const name = text?.replace(/^v/, '');
  const found = name
    ? KUBERNETES_VERSIONS.find(({ minor, full }) => [minor, full].includes(name))
    : KUBERNETES_VERSIONS.at(-1);
  if (found !== undefined) return found;
  const known = KUBERNETES_VERSIONS.map(({ minor, full }) => `${minor} (${full})`).join(', ');
  throw new Error(`Kubernetes ${text} cannot be built here: use one of ${known}`);
}

/** Whether it has MutatingAdmissionPolicy v1, which came with Kubernetes 1.36. */
export function hasMutatingPolicies({ minor }: KubernetesVersion): boolean {
  return Number(minor.split('.')[1]) >= 36;
}

/** The version that E2E_KUBERNETES names; by default the newest. @throws Error that lists what is known */
export function chosenKubernetes(): KubernetesVersion {
  return kubernetesVersion(process.env.E2E_KUBERNETES);
}
