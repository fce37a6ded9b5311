import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import { proxyChoice } from './proxy-choice.ts';

/** More than the data port accepts. Further requests wait for a connection. */
const MOST_CONNECTIONS = 512;
const KEPT_CONNECTIONS = 64;
/** An unused connection is closed after this time, before the service or a balancer closes it unseen. */
const KEPT_FOR_MS = 15_000;

/** Pools of connections, through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
export interface HttpAgents {
  /** @throws Error with the code `BAD_PROXY` when the environment names a proxy that cannot be used */
  agentFor(secure: boolean, hostname: string, port: number | undefined): PlainAgent;
  /** by `HOST:PORT`: until when (monotonic clock, ms) the service is sent no `Expect: 100-continue` */
  readonly withoutExpect: Map<string, number>;
  /** connections held by requests */
  inUse(): number;
  close(): void;
}

/** @param caBundle PEM certificates of authorities to trust besides those that Node trusts */
export function httpAgents(caBundle: string | undefined): HttpAgents {
  const { proxyFor } = proxyChoice(process.env);
  const options = {
    keepAlive: true,
    maxSockets: MOST_CONNECTIONS,
    maxFreeSockets: KEPT_CONNECTIONS,
    timeout: KEPT_FOR_MS,
  };
  const authorities = caBundle === undefined ? {} : { ca: [...getCACertificates('default'), caBundle] };
  const pools = new Map<string, PlainAgent>();
  const poolOf = (secure: boolean, proxy: string | undefined) => {
    // Node itself ignores CIDR entries and proxies without a scheme, so we choose the proxy.
    const proxyEnv = proxy === undefined ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    return secure
      ? new SecureAgent({ ...options, ...authorities, proxyEnv })
      : new PlainAgent({ ...options, proxyEnv });
  };
  const held = ({ sockets }: PlainAgent) =>
    Object.values(sockets).reduce((sum, all) => sum + (all?.length ?? 0), 0);
  return {
    agentFor: (secure, hostname, port) => {
      const proxy = proxyFor(secure, hostname, port)?.href;
      const name = `${secure} ${proxy}`;
      const pool = pools.get(name) ?? poolOf(secure, proxy);
      pools.set(name, pool);
      return pool;
    },
    withoutExpect: new Map(),
    inUse: () => [...pools.values()].reduce((sum, agent) => sum + held(agent), 0),
    close: () => {
      for (const agent of pools.values()) agent.destroy();
    },
  };
}
