import { at, countAt, listAt, textAt } from '@largepayload/crds';
import type { InjectionSettings } from '../injection/sidecar.ts';
import type { KubernetesObject } from '../kubernetes/api.ts';

/** What the operator's Deployment says of injection. */
export interface OperatorFacts {
  readonly namespace: string;
  readonly name: string;
  /** of Helm */
  readonly release: string;
  /** `undefined`: it does not inject */
  readonly injection: 'Webhook' | 'Policy' | undefined;
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly available: number;
  readonly wanted: number;
  readonly settings: InjectionSettings;
}

/** Of a Deployment of the chart: its container's arguments are those of the operator. */
export function operatorFacts(deployment: KubernetesObject): OperatorFacts {
  const { namespace = '', name, labels = {} } = deployment.metadata;
  const container = listAt(deployment, 'spec', 'template', 'spec', 'containers')[0];
  const argument = (option: string) => argumentsOf(container, option).at(-1);
  const injection = argument('injection');
  const user = argument('injection-run-as-user') ?? '65532';
  return {
    namespace,
    name,
    release: labels['app.kubernetes.io/instance'] ?? name,
    injection: injection === 'Webhook' || injection === 'Policy' ? injection : undefined,
    failurePolicy: argument('injection-failure-policy') === 'Ignore' ? 'Ignore' : 'Fail',
    available: countAt(deployment, 'status', 'availableReplicas'),
    wanted: at(deployment, 'spec', 'replicas') === undefined ? 1 : countAt(deployment, 'spec', 'replicas'),
    settings: {
      image: argument('image') ?? textAt(container, 'image') ?? '',
      imagePullPolicy: argument('image-pull-policy') ?? 'IfNotPresent',
      imagePullSecrets: argumentsOf(container, 'image-pull-secret'),
      runAsUser: user === 'none' ? undefined : Number(user),
      version: labels['app.kubernetes.io/version'] ?? '',
    },
  };
}

const CHART = 'charts/large-payload-operator';

/** Installs the operator. */
export const HELM_INSTALL = `helm install large-payload-operator ${CHART} --namespace large-payload-system --create-namespace`;

/** Applies the chart again. @param set a value that changes, as KEY=VALUE */
export function helmUpgrade({ release, namespace }: OperatorFacts, set?: string): string {
  // `--reuse-values` would leave out the defaults of values that are new in the chart.
  const upgrade = `helm upgrade ${release} ${CHART} --namespace ${namespace} --reset-then-reuse-values`;
  return set === undefined ? upgrade : `${upgrade} --set ${set}`;
}

/** The values of an option that is written as `--option=value`, as the chart does, or as two arguments. */
function argumentsOf(container: unknown, option: string): readonly string[] {
  const given = at(container, 'args');
  const words = Array.isArray(given) ? given.map(String) : [];
  return words.flatMap((word, index) => {
    if (word.startsWith(`--${option}=`)) return [word.slice(option.length + 3)];
    return word === `--${option}` ? (words[index + 1] ?? []) : [];
  });
}
