import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { getCACertificates } from 'node:tls';

/** More than the data port lets in; requests beyond it wait for a connection. */
const MOST_CONNECTIONS = 512;
const KEPT_CONNECTIONS = 64;
/** ms after which an unused connection is closed, before the service or a balancer on the way does so unseen */
const KEPT_FOR = 15_000;

/** The pools of connections, through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
export interface HttpAgents {
  agentFor(secure: boolean): PlainAgent;
  /** until when (monotonic clock, ms) a service, by `HOST:PORT`, is sent no `Expect: 100-continue` */
  readonly withoutExpect: Map<string, number>;
  /** connections held by requests */
  inUse(): number;
  close(): void;
}

/** @param caBundle PEM certificates of authorities to trust besides those that Node trusts */
export function httpAgents(caBundle: string | undefined): HttpAgents {
  const options = {
    keepAlive: true,
    maxSockets: MOST_CONNECTIONS,
    maxFreeSockets: KEPT_CONNECTIONS,
    timeout: KEPT_FOR,
    proxyEnv: process.env,
  };
  const authorities = caBundle === undefined ? {} : { ca: [...getCACertificates('default'), caBundle] };
  const plain = new PlainAgent(options);
  const secure = new SecureAgent({ ...options, ...authorities });
  const both = [plain, secure];
  const held = ({ sockets }: PlainAgent) =>
    Object.values(sockets).reduce((sum, all) => sum + (all?.length ?? 0), 0);
  return {
    agentFor: (isSecure) => (isSecure ? secure : plain),
    withoutExpect: new Map(),
    inUse: () => both.reduce((sum, agent) => sum + held(agent), 0),
    close: () => {
      for (const agent of both) agent.destroy();
    },
  };
}
