import { X509Certificate } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { PodSettings } from './stores/desired/context.ts';

export interface OperatorOptions extends PodSettings {
  /** cert-manager makes the certificates; `undefined`: the operator signs them itself */
  readonly certManager: CertManagerOptions | undefined;
  /** `undefined`: nothing is injected into pods */
  readonly injection: InjectionOptions | undefined;
  readonly leaseName: string;
  readonly metricsListen: ListenAddress;
  readonly logLevel: string;
}

/** Where a server listens. */
export interface ListenAddress {
  /** `undefined`: every interface */
  readonly host: string | undefined;
  readonly port: number;
}

export interface InjectionOptions {
  /** who injects: the operator as a webhook, or the API server by policies of the operator */
  readonly mode: 'Webhook' | 'Policy';
  /** what becomes of pods in scope while it cannot be decided about them */
  readonly failurePolicy: 'Fail' | 'Ignore';
  /** user and group of sidecars; `undefined`: the platform chooses */
  readonly runAsUser: number | undefined;
  /** which pods without a sidecar are evicted, so that they are made anew */
  readonly evictMissed: 'Never' | 'CreatedAfterLabel' | 'All';
  readonly webhook: {
    readonly listen: ListenAddress;
    /** of the Service, in the operator's namespace, and of the MutatingWebhookConfiguration */
    readonly name: string;
  };
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
const MODES = ['Webhook', 'Policy'] as const;
const FAILURE_POLICIES = ['Fail', 'Ignore'] as const;
const EVICTED = ['Never', 'CreatedAfterLabel', 'All'] as const;
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
  --injection MODE           puts sidecars into pods: Webhook (the operator does) or Policy (the API server does) [default: neither]
  --injection-failure-policy POLICY
                             of pods in scope for which that cannot be done: Fail refuses them, Ignore makes them without [default: Fail]
  --injection-run-as-user UID
                             user and group of sidecars; none: the platform chooses [default: 65532]
  --evict-missed WHICH       evicts pods that should have a sidecar: Never, CreatedAfterLabel or All [default: Never]
  --webhook-listen HOST:PORT the webhook, by TLS [default: :9443]
  --webhook-name NAME        of its Service and of the MutatingWebhookConfiguration [default: large-payload-operator]
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
    metricsListen: listenAddress('--metrics-listen', values['metrics-listen'] ?? ':8080'),
    certManager: certManager(values['certificate-issuer'], values['ca-bundle']),
    injection: injection(values),
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
        injection: { type },
        'injection-failure-policy': { type },
        'injection-run-as-user': { type },
        'evict-missed': { type },
        'webhook-listen': { type },
        'webhook-name': { type },
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

/** Mistakes are refused also where nothing is injected. */
function injection(values: ReturnType<typeof parse>): InjectionOptions | undefined {
  const settings = {
    failurePolicy: oneOf(
      FAILURE_POLICIES,
      values['injection-failure-policy'] ?? 'Fail',
      '--injection-failure-policy',
    ),
    runAsUser: userId(values['injection-run-as-user'] ?? '65532'),
    evictMissed: oneOf(EVICTED, values['evict-missed'] ?? 'Never', '--evict-missed'),
    webhook: {
      listen: listenAddress('--webhook-listen', values['webhook-listen'] ?? ':9443'),
      name: webhookName(values['webhook-name'] ?? 'large-payload-operator'),
    },
  };
  if (values.injection === undefined) return undefined;
  return { mode: oneOf(MODES, values.injection, '--injection'), ...settings };
}

/** Root is refused: the sidecar runs as Pod Security's `restricted` demands. */
function userId(text: string): number | undefined {
  if (text === 'none') return undefined;
  const id = Number(text);
  if (/^[1-9][0-9]{0,9}$/.test(text) && id < 2 ** 31) return id;
  throw new OptionsError(`--injection-run-as-user ${text}: write a number from 1 to 2147483647, or none`);
}

function webhookName(name: string): string {
  if (/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw new OptionsError(`--webhook-name "${name}": write the name of a Service`);
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

function listenAddress(option: string, text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new OptionsError(`${option} ${text}: write HOST:PORT, or :PORT for every interface`);
  return { host: match[1] ?? (match[2] || undefined), port };
}
