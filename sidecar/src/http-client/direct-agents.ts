import { nodeTls } from '../memory/modules-on-demand.ts';
import type { Endpoint } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { HttpAgents } from './http-agents.ts';
import { LIMITS, type Limits } from './limits.ts';

/** The connections to one server, without a proxy, whose authorities may be exchanged. */
export interface DirectAgents extends HttpAgents {
  /**
   * From here on, new connections trust these authorities and no others; those that are open go on.
   * @param authorities PEM; `undefined`: those that Node trusts
   */
  trust(authorities: string | undefined): void;
  /** Closes the connections that no request uses. */
  closeIdle(): void;
}

/** For a server that speaks TLS 1.3. Before the first request over TLS, `trust` has to be called. */
export function directAgents(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  changes: Partial<Limits> = {},
): DirectAgents {
  const limits = { ...LIMITS, ...changes };
  const endpoint: Endpoint = {
    ...{ hostname, port, isAlwaysVerified: true },
    ...{ secureContext: undefined, session: undefined },
  };
  const pool = new ConnectionPool(endpoint, limits);
  let trusted: { readonly authorities: string | undefined } | undefined;
  return {
    limits,
    routeTo: (secure) => {
      if (secure && trusted === undefined) throw new TypeError('no authorities were chosen');
      return pool;
    },
    withoutExpect: new Map(),
    inUse: () => pool.inUse,
    trust: (authorities) => {
      if (trusted !== undefined && trusted.authorities === authorities) return;
      trusted = { authorities };
      const ca = authorities === undefined ? {} : { ca: authorities };
      endpoint.secureContext = nodeTls().createSecureContext({ ...ca, minVersion: 'TLSv1.3' });
      endpoint.session = undefined;
    },
    closeIdle: () => pool.closeIdle(),
    close: () => pool.close(),
  };
}
