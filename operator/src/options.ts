import { parseArgs } from 'node:util';
import type { PodSettings } from './stores/desired/context.ts';

export interface OperatorOptions extends PodSettings {
  readonly leaseName: string;
  readonly metricsListen: { readonly host: string | undefined; readonly port: number };
  readonly logLevel: string;
}

/** The command line cannot be understood; the message describes the right form. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

export const HELP = `large-payload-operator reconciles LargePayloadStore resources.

Usage: operator.mjs --image IMAGE --namespace NAMESPACE [options]

Options:
  --image IMAGE              image of the gateways and reapers (required)
  --image-pull-policy POLICY Always, IfNotPresent or Never [default: IfNotPresent]
  --image-pull-secret NAME   a Secret of the store's namespace to pull the image with; may be repeated
  --cluster-name NAME        how stores elsewhere are told who uses a storage [default: the UID of the namespace kube-system]
  --namespace NAMESPACE      the operator's own, which holds its Lease (required)
  --scrape-namespace NAMESPACE
                             lets its pods, and the operator, scrape gateways and reapers, and no others; may be repeated [default: any]
  --lease-name NAME          one of several replicas leads: who holds this Lease [default: large-payload-operator]
  --metrics-listen HOST:PORT /metrics, /healthz and /readyz; :PORT is every interface [default: :8080]
  --log-level LEVEL          ${LOG_LEVELS.join(', ')} [default: info]
  --help, --version

In a cluster it uses its service account; elsewhere the kubeconfig that kubectl would use.
SIGTERM and SIGINT end it with exit code 0; it gives its Lease back.
`;

/** @throws OptionsError */
export function parseOptions(args: readonly string[]): OperatorOptions {
  const values = parse(args);
  return {
    image: required(values.image, '--image IMAGE'),
    imagePullPolicy: oneOf(
      PULL_POLICIES,
      values['image-pull-policy'] ?? 'IfNotPresent',
      '--image-pull-policy',
    ),
    imagePullSecrets: values['image-pull-secret'] ?? [],
    clusterName: values['cluster-name'] || undefined,
    namespace: required(values.namespace, '--namespace NAMESPACE'),
    scrapeNamespaces: namespaceNames(values['scrape-namespace'] ?? []),
    leaseName: values['lease-name'] ?? 'large-payload-operator',
    metricsListen: listenAddress(values['metrics-listen'] ?? ':8080'),
    logLevel: oneOf(LOG_LEVELS, values['log-level'] ?? 'info', '--log-level'),
  };
}

function parse(args: readonly string[]) {
  const type = 'string';
  try {
    return parseArgs({
      args: [...args],
      options: {
        image: { type },
        'image-pull-policy': { type },
        'image-pull-secret': { type, multiple: true },
        'cluster-name': { type },
        namespace: { type },
        'scrape-namespace': { type, multiple: true },
        'lease-name': { type },
        'metrics-listen': { type },
        'log-level': { type },
      },
    }).values;
  } catch (error) {
    throw new OptionsError((error as Error).message);
  }
}

function oneOf<T extends string>(known: readonly T[], value: string, option: string): T {
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  throw new OptionsError(`${option} ${value}: write one of ${known.join(', ')}`);
}

function required(value: string | undefined, option: string): string {
  if (value === undefined || value === '') throw new OptionsError(`${option} is required`);
  return value;
}

function namespaceNames(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
  if (wrong === undefined) return names;
  throw new OptionsError(`--scrape-namespace "${wrong}": write the name of a namespace`);
}

function listenAddress(text: string): OperatorOptions['metricsListen'] {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new OptionsError(`--metrics-listen ${text}: write HOST:PORT, or :PORT for every interface`);
  return { host: match[1] ?? (match[2] || undefined), port };
}
