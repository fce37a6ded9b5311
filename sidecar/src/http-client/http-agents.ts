import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { ConnectionPool } from './connection-pool.ts';
import { LIMITS, type Limits } from './limits.ts';
import { type Environment, proxyChoice } from './proxies/proxy-choice.ts';

/** Pools of connections, through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
export interface HttpAgents {
  readonly limits: Limits;
  /**
   * A pool of our connections, or Node's agent: for requests through a proxy, and where `byNode` says so.
   * @throws Error with the code `BAD_PROXY` when the environment names a proxy that cannot be used
   */
  routeTo(
    secure: boolean,
    hostname: string,
    port: number | undefined,
    byNode?: boolean,
  ): ConnectionPool | PlainAgent;
  /** by `HOST:PORT`: until when (monotonic clock, ms) the service is sent no `Expect: 100-continue` */
  readonly withoutExpect: Map<string, number>;
  /** connections held by requests */
  inUse(): number;
  close(): void;
}

/**
 * @param caBundle PEM certificates of authorities to trust besides those that Node trusts, or `only` them
 * @param environment names the proxies
 */
export function httpAgents(
  caBundle: string | { readonly only: string } | undefined,
  changes: Partial<Limits> = {},
  environment: Environment = process.env,
): HttpAgents {
  const { proxyFor } = proxyChoice(environment);
  const limits = { ...LIMITS, ...changes };
  const authorities = authoritiesOf(caBundle);
  const agents = new Map<string, PlainAgent>();
  const pools = new Map<string, ConnectionPool>();
  // Made once: it parses all authorities.
  let secureContext: SecureContext | undefined;
  const poolTo = (secure: boolean, hostname: string, port: number) => {
    if (secure) secureContext ??= createSecureContext(authorities);
    const endpoint = {
      hostname,
      port,
      secureContext: secure ? secureContext : undefined,
      session: undefined,
    };
    return new ConnectionPool(endpoint, limits);
  };
  const agentThrough = (secure: boolean, proxy: string | undefined) => {
    const options = {
      keepAlive: true,
      maxSockets: limits.connections,
      maxFreeSockets: limits.kept,
      timeout: limits.keptMs,
      // Node itself ignores CIDR entries and proxies without a scheme, so we choose the proxy.
      proxyEnv: proxy === undefined ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
    };
    return secure ? new SecureAgent({ ...options, ...authorities }) : new PlainAgent(options);
  };
  const held = ({ sockets }: PlainAgent) =>
    Object.values(sockets).reduce((sum, all) => sum + (all?.length ?? 0), 0);
  return {
    limits,
    routeTo: (secure, hostname, port = secure ? 443 : 80, byNode = false) => {
      const proxy = proxyFor(secure, hostname, port)?.href;
      if (proxy === undefined && !byNode)
        return kept(pools, `${secure} ${hostname}:${port}`, () => poolTo(secure, hostname, port));
      return kept(agents, `${secure} ${proxy}`, () => agentThrough(secure, proxy));
    },
    withoutExpect: new Map(),
    inUse: () =>
      [...pools.values()].reduce((sum, pool) => sum + pool.inUse, 0) +
      [...agents.values()].reduce((sum, agent) => sum + held(agent), 0),
    close: () => {
      for (const pool of pools.values()) pool.close();
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function authoritiesOf(caBundle: Parameters<typeof httpAgents>[0]): { readonly ca?: string[] } {
  if (caBundle === undefined) return {};
  return { ca: typeof caBundle === 'string' ? [...getCACertificates('default'), caBundle] : [caBundle.only] };
}

function kept<T>(all: Map<string, T>, name: string, make: () => T): T {
  const found = all.get(name) ?? make();
  all.set(name, found);
  return found;
}
