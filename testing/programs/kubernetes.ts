import { dirname, join } from 'node:path';
import { inPath, installPackages } from '@largepayload/tools/debian-packages';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { type GoModule, goModulePrograms } from './go-module.ts';
import { type GoProgram, goProgram } from './go-program.ts';
import { helm } from './helm.ts';
import { chosenKubernetes, type KubernetesVersion } from './kubernetes-versions.ts';

/** The control plane, kubelet, kube-proxy and kubectl. */
function kubernetesModule({ minor, full, folder }: KubernetesVersion): GoModule {
  const variables = { gitVersion: `v${full}`, gitMajor: 1, gitMinor: minor.slice(2) };
  return {
    name: `kubernetes-v${full}`,
    folder,
    expected: 'five to eight minutes on 2 cores',
    linkerFlags: Object.entries(variables)
      .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
      .join(' '),
  };
}

/** containerd, its shim and ctr: Debian's containerd is too old for the kubelet. */
const CONTAINERD: GoModule = {
  name: 'containerd',
  folder: join(import.meta.dirname, 'containerd'),
  expected: 'two minutes on 2 cores',
};

const COREDNS: GoProgram = {
  package: 'github.com/coredns/coredns',
  version: 'v1.14.2',
};

/** Debian packages, by a program (in PATH, or a path) that exists when the package is installed. */
const PACKAGES: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  runc: 'runc',
  '/usr/lib/cni/ptp': 'containernetworking-plugins',
  iptables: 'iptables',
  ip: 'iproute2',
  conntrack: 'conntrack',
  ethtool: 'ethtool',
  socat: 'socat',
  // The package `busybox` needs libraries, which an empty image does not have.
  '/usr/share/doc/busybox-static': 'busybox-static',
  openssl: 'openssl',
  // Builds the image where no Docker daemon runs.
  buildah: 'buildah',
  nsenter: 'util-linux',
};

/** What a cluster made of processes on this machine needs. */
export interface LocalPrograms {
  readonly version: KubernetesVersion;
  /** Folder with kube-apiserver and the other programs of Kubernetes. */
  readonly kubernetes: string;
  /** Folder with containerd and its programs. */
  readonly containerd: string;
  readonly coredns: string;
  readonly helm: string;
}

/**
 * The folder with kube-apiserver, kubectl and the others.
 * @param version by default the one that E2E_KUBERNETES names
 * @throws MissingProgramError
 */
export async function kubernetesPrograms(
  say: (line: string) => void,
  version = chosenKubernetes(),
): Promise<string> {
  return await goModulePrograms(kubernetesModule(version), say);
}

/** @throws MissingProgramError for what cannot be installed or built */
export async function localPrograms(
  version: KubernetesVersion,
  say: (line: string) => void,
): Promise<LocalPrograms> {
  const missing = Object.keys(PACKAGES).filter((program) => inPath(program) === undefined);
  if (missing.length > 0) {
    const packages = missing.map((program) => PACKAGES[program] as string);
    installPackages(packages, `A cluster on this machine needs ${packages.join(', ')}.`, say);
  }
  return {
    version,
    kubernetes: await kubernetesPrograms(say, version),
    containerd: await goModulePrograms(CONTAINERD, say),
    coredns: await goProgram(COREDNS, say),
    helm: await helm(say),
  };
}

/** Folders of kubectl and helm, to be put before PATH, for a cluster that is not made by us. */
export async function clientFolders(say: (line: string) => void): Promise<string[]> {
  if (inPath('kubectl') === undefined) {
    throw new MissingProgramError(
      'kubectl is needed in PATH (https://kubernetes.io/docs/tasks/tools/), or let E2E_CLUSTER=local build it.',
    );
  }
  return [dirname(await helm(say))];
}
