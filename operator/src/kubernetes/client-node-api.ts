import { Agent as PlainAgent } from 'node:http';
import { type AgentOptions, type RequestOptions, Agent as SecureAgent } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubernetesApi } from './api.ts';
import { HttpApi, type RequestOutcome } from './http-api.ts';
import type { Access } from './http-exchange.ts';

/** ms that a connection may be unused; the API server closes them after 90 s or more */
const UNUSED_LIMIT = 45_000;

export interface ConnectOptions {
  /** Path; without one: KUBECONFIG, then the pod's service account, then `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** of the operator, named in the User-Agent */
  readonly version: string;
  /** Told of every call, for metrics. */
  readonly onRequest?: ((outcome: RequestOutcome) => void) | undefined;
}

/**
 * The API of the cluster that this process belongs to. Tokens in files are read again every minute, certificates on
 * every call. @throws Error that says what is wrong with the configuration; nothing is sent yet
 */
export function connectToKubernetes(options: ConnectOptions): KubernetesApi & { readonly url: string } {
  const { kubeconfig, version, onRequest } = options;
  const access = accessOf(load(kubeconfig));
  const api = new HttpApi(access, { userAgent: `large-payload-operator/${version}`, onRequest });
  return Object.assign(api, { url: access.url });
}

function load(kubeconfig: string | undefined): KubeConfig {
  const config = new KubeConfig();
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST } = process.env;
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    else if (!KUBECONFIG && KUBERNETES_SERVICE_HOST) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (cause) {
    const words = (cause as Error).message;
    throw new Error(`the kubeconfig ${kubeconfig ?? KUBECONFIG ?? ''} cannot be used: ${words}`, { cause });
  }
  const isGuess = config.getCurrentContext() === 'loaded-context';
  if (isGuess || config.getCurrentCluster() === null) {
    throw new Error(
      `no cluster is configured: ${isGuess ? 'there is no kubeconfig' : "the kubeconfig's current-context names none"}. ` +
        'Run this in a pod with a service account, or set KUBECONFIG.',
    );
  }
  return config;
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
      // The library's own agents keep no connections; only they know how to use a proxy.
      return {
        agent: cluster?.proxyUrl ? agent : agentFor(tls),
        headers: trimmed(headers as Record<string, string>),
        ...(auth ? { auth } : {}),
      };
    },
  };
}

/** One agent as long as the certificates are the same. Requests under way keep the agent that they began with. */
function agents(secure: boolean): (tls: RequestOptions) => PlainAgent {
  let current: { tls: RequestOptions; agent: PlainAgent } | undefined;
  return (tls) => {
    if (current === undefined || !isDeepStrictEqual(current.tls, tls)) {
      const options = { ...tls, keepAlive: true, timeout: UNUSED_LIMIT } as AgentOptions;
      current = { tls, agent: secure ? new SecureAgent(options) : new PlainAgent(options) };
    }
    return current.agent;
  };
}

/** A token's file may end with a newline, which no header may have. */
function trimmed(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.trim()]));
}
