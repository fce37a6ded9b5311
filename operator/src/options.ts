import { X509Certificate } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { PodSettings } from './stores/desired/context.ts';

export interface OperatorOptions extends PodSettings {
  /** cert-manager makes the certificates; `undefined`: the operator signs them itself */
  readonly certManager: CertManagerOptions | undefined;
  readonly leaseName: string;
  readonly metricsListen: { readonly host: string | undefined; readonly port: number };
  readonly logLevel: string;
}

export interface CertManagerOptions {
  /** of every Certificate: an Issuer of each store's namespace, or a ClusterIssuer */
  readonly issuer: { readonly group: string; readonly kind: string; readonly name: string };
  /** certificates that clients trust, as PEM: the operator may not read cert-manager's Secrets */
  readonly bundle: string;
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
  --certificate-issuer KIND/NAME[/GROUP]
                             cert-manager makes the certificates by this issuer, an Issuer or a ClusterIssuer [default: the operator makes them]
  --ca-bundle PEM            the certificates that clients are to trust; required with --certificate-issuer
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
    certManager: certManager(values['certificate-issuer'], values['ca-bundle']),
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
        'certificate-issuer': { type },
        'ca-bundle': { type },
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

function certManager(issuer: string | undefined, bundle: string | undefined) {
  if (issuer === undefined && bundle === undefined) return undefined;
  const text = required(issuer, '--certificate-issuer KIND/NAME[/GROUP]');
  const match = /^([A-Za-z]+)\/([a-z0-9][-a-z0-9.]*)(?:\/([a-z0-9][-a-z0-9.]*))?$/.exec(text);
  if (match === null)
    throw new OptionsError(`--certificate-issuer ${text}: write KIND/NAME or KIND/NAME/GROUP`);
  const [, kind = '', name = '', group = 'cert-manager.io'] = match;
  return { issuer: { kind, name, group }, bundle: certificates(required(bundle, '--ca-bundle PEM')) };
}

/** One or more certificates, and nothing else. */
function certificates(pem: string): string {
  const parts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (parts.length === 0) throw new Error('it has no certificate');
    return parts.map((part) => new X509Certificate(part).toString()).join('');
  } catch (cause) {
    throw new OptionsError(`--ca-bundle: write certificates as PEM: ${(cause as Error).message}`, { cause });
  }
}

function listenAddress(text: string): OperatorOptions['metricsListen'] {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new OptionsError(`--metrics-listen ${text}: write HOST:PORT, or :PORT for every interface`);
  return { host: match[1] ?? (match[2] || undefined), port };
}
