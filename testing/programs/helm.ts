import { type GoProgram, goProgram } from './go-program.ts';

/** Minor version of k8s.io/client-go in Helm's go.mod. Without it, Helm renders and lints as for Kubernetes 1.20. */
const KUBERNETES_MINOR = 35;

const HELM: GoProgram = {
  package: 'helm.sh/helm/v3/cmd/helm',
  version: 'v3.20.2',
  linkerFlags: [
    '-X helm.sh/helm/v3/internal/version.version=v3.20.2',
    ...['lint/rules', 'chartutil'].flatMap((where) => [
      `-X helm.sh/helm/v3/pkg/${where}.k8sVersionMajor=1`,
      `-X helm.sh/helm/v3/pkg/${where}.k8sVersionMinor=${KUBERNETES_MINOR}`,
    ]),
  ].join(' '),
};

/** The path of Helm's program. @throws MissingProgramError without Go */
export function helm(say: (line: string) => void): Promise<string> {
  return goProgram(HELM, say);
}
