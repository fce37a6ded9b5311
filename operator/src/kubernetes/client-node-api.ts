import { Agent as PlainAgent } from 'node:http';
import { type AgentOptions, type RequestOptions, Agent as SecureAgent } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubernetesApi } from './api.ts';
import { HttpApi, type RequestOutcome } from './http-api.ts';
import type { Access } from './http-exchange.ts';

/** How long a connection may be unused; the API server closes it after 90 s or more. */
const UNUSED_LIMIT_MS = 45_000;

export interface ConnectOptions {
  /** Path; without one: KUBECONFIG, then the pod's service account, then `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** of the kubeconfig; without one: its current context */
  readonly context?: string | undefined;
  /** named in the User-Agent [large-payload-operator] */
  readonly program?: string;
  /** of the program, named there too */
  readonly version: string;
  /** Called for each request, for metrics. */
  readonly onRequest?: ((outcome: RequestOutcome) => void) | undefined;
}

/**
 * The API of the cluster that this process belongs to. Tokens in files are read again every minute, certificates on
 * every call. Nothing is sent yet.
 * @throws Error that describes the mistake in the configuration
 */
export function connectToKubernetes(options: ConnectOptions): KubernetesApi & { readonly url: string } {
  const { kubeconfig, context, program = 'large-payload-operator', version, onRequest } = options;
  const access = accessOf(load(kubeconfig, context));
  const api = new HttpApi(access, { userAgent: `${program}/${version}`, onRequest });
  return Object.assign(api, { url: access.url });
}

function load(kubeconfig: string | undefined, context: string | undefined): KubeConfig {
  const config = new KubeConfig();
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST } = process.env;
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    else if (!KUBECONFIG && KUBERNETES_SERVICE_HOST) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`the kubeconfig ${kubeconfig ?? KUBECONFIG ?? ''} cannot be used: ${message}`, { cause });
  }
  if (context !== undefined) choose(config, context);
  const isGuess = config.getCurrentContext() === 'loaded-context';
  if (isGuess || config.getCurrentCluster() === null) {
    throw new Error(
      `no cluster is configured: ${isGuess ? 'there is no kubeconfig' : "the kubeconfig's current-context names none"}. ` +
        'Run this in a pod with a service account, or set KUBECONFIG.',
    );
  }
  return config;
}

function choose(config: KubeConfig, context: string): void {
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context))
    throw new Error(`the kubeconfig has no context "${context}"; it has ${names.join(', ') || 'none'}`);
  config.setCurrentContext(context);
}

function accessOf(config: KubeConfig): Access {
  const cluster = config.getCurrentCluster();
  const url = cluster?.server ?? '';
  const agentFor = agents(url.startsWith('https:'));
  return {
    url,
    async options() {
      const asked: RequestOptions = {};
      await config.applyToHTTPSOptions(asked);
      const { agent, headers, auth, ...tls } = asked;
      // Agents of the library know how to use a proxy; without a proxy ours is better, as it keeps connections.
      return {
        agent: cluster?.proxyUrl ? agent : agentFor(tls),
        headers: trimmed(headers as Record<string, string>),
        ...(auth ? { auth } : {}),
      };
    },
  };
}

/** Keeps one agent while the certificates are the same. A request under way keeps the agent that it began with. */
function agents(secure: boolean): (tls: RequestOptions) => PlainAgent {
  let current: { tls: RequestOptions; agent: PlainAgent } | undefined;
  return (tls) => {
    if (current === undefined || !isDeepStrictEqual(current.tls, tls)) {
      const options = { ...tls, keepAlive: true, timeout: UNUSED_LIMIT_MS } as AgentOptions;
      current = { tls, agent: secure ? new SecureAgent(options) : new PlainAgent(options) };
    }
    return current.agent;
  };
}

/** A token's file may end with a newline, which no header may have. */
function trimmed(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
}
