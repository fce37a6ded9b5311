import { join } from 'node:path';
import { readSmallFile } from '@largepayload/codec/files/small-file';
import { largestAuthorities, longestToken } from '@largepayload/codec/files/token-and-authorities';
import { excerpt } from '../../errors/excerpt.ts';
import { type HttpAgents, httpAgents } from '../../http-client/http-agents.ts';
import { fetchJson } from './fetch-json.ts';
import { readKeys } from './key-document.ts';
import type { KeySource } from './key-set.ts';
import { assertSecure, isSecure } from './secure-address.ts';

/** Below an issuer (OpenID Connect Discovery 1.0, 4). */
const DISCOVERY = '/.well-known/openid-configuration';
/** Kubernetes' own path of its keys. */
const CLUSTER_KEYS = '/openid/v1/jwks';
const TIMES = { connectMs: 3_000, answerMs: 5_000, bodyMs: 5_000, idleMs: 5_000, kept: 0 };

/** Where a gateway finds the API server, and shows it who it is. */
export interface ClusterAccess {
  /** has `token`, for the API server, and `ca.crt`, its authority; read anew for each use */
  readonly folder: string;
  /** without a path */
  readonly url: string;
}

/**
 * The keys by which the API server signs tokens of service accounts. Its discovery document names the issuer. The address of the
 * keys in it is one for others, which may not be reachable from here.
 */
export function clusterKeys({ folder, url }: ClusterAccess): KeySource {
  const load = async (signal: AbortSignal) => {
    const { token, authority } = await readAccess(folder, isSecure(url));
    // Without proxies: they are for addresses outside the cluster.
    return await withAgents(httpAgents(authority, TIMES, {}), async (agents) => {
      const discovery = await fetchFrom(agents, `${url}${DISCOVERY}`, signal, token);
      const issuer = textIn(discovery, 'issuer', `${url}${DISCOVERY}`);
      const address = `${url}${CLUSTER_KEYS}`;
      return { issuer, ...keysFrom(address, await fetchFrom(agents, address, signal, token)) };
    });
  };
  return { name: url, issuer: undefined, load };
}

/** The keys of an issuer elsewhere, found by discovery. Authorities are those that Node trusts. */
export function oidcKeys(issuer: string): KeySource {
  const load = async (signal: AbortSignal) => {
    assertSecure(issuer, 'the issuer');
    return await withAgents(httpAgents(undefined, TIMES), async (agents) => {
      const address = `${issuer.replace(/\/$/, '')}${DISCOVERY}`;
      const discovery = await fetchFrom(agents, address, signal);
      const named = textIn(discovery, 'issuer', address);
      // Discovery 1.0, 4.3: else one issuer could name the keys of another.
      if (named !== issuer) throw new Error(`${address}: it is of the issuer ${excerpt(named)}`);
      const keys = textIn(discovery, 'jwks_uri', address);
      // An issuer elsewhere must not have the ports of this machine asked.
      assertSecure(keys, `${address}: jwks_uri`, !isSecure(issuer));
      return { issuer, ...keysFrom(keys, await fetchFrom(agents, keys, signal)) };
    });
  };
  return { name: issuer, issuer, load };
}

/** Connections are not kept: the next fetch is minutes away. */
async function withAgents<T>(agents: HttpAgents, use: (agents: HttpAgents) => Promise<T>): Promise<T> {
  try {
    return await use(agents);
  } finally {
    agents.close();
  }
}

async function readAccess(folder: string, secure: boolean) {
  const read = async (name: string, mostBytes: number) => {
    const file = join(folder, name);
    const text = await readSmallFile(file, mostBytes).catch((cause: Error) =>
      Promise.reject(new Error(`${file}: ${cause.message}`, { cause })),
    );
    if (text.trim() === '') throw new Error(`${file} is empty`);
    return text.trim();
  };
  const token = await read('token', longestToken);
  // A token goes to loopback, or to a server that the authority vouches for.
  return { token, authority: secure ? { only: await read('ca.crt', largestAuthorities) } : undefined };
}

async function fetchFrom(agents: HttpAgents, address: string, signal: AbortSignal, token?: string) {
  return await fetchJson(agents, address, { signal, token }).catch((error: Error) => {
    throw new Error(`${address}: ${error.message}`, { cause: error });
  });
}

function keysFrom(address: string, document: unknown) {
  try {
    return readKeys(document);
  } catch (error) {
    throw new Error(`${address}: ${(error as Error).message}`);
  }
}

function textIn(document: Readonly<Record<string, unknown>>, field: string, address: string): string {
  const value = document[field];
  if (typeof value === 'string' && value !== '' && value.length <= 1_024) return value;
  throw new Error(`${address}: it has no ${field}`);
}
