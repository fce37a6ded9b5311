import { BAD_PROXY } from '../errors.ts';
import { parseNoProxy } from './no-proxy.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Chooses the proxy that leads to a server. */
export interface ProxyChoice {
  /**
   * The proxy's URL; `undefined`: directly.
   * @throws Error with the code `BAD_PROXY` when the environment names one that cannot be used
   */
  proxyFor(secure: boolean, hostname: string, port: number | undefined): URL | undefined;
  /** whether the environment names a proxy */
  readonly isConfigured: boolean;
  /** settings that were not understood, without passwords */
  readonly notices: readonly string[];
}

/** By HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Their names in lower case win, as for Node and curl. */
export function proxyChoice(environment: Environment): ProxyChoice {
  const noProxy = readVariable(environment, 'NO_PROXY');
  const bypass = parseNoProxy(noProxy.text);
  const plain = readVariable(environment, 'HTTP_PROXY');
  const secure = readVariable(environment, 'HTTPS_PROXY');
  const all = readVariable(environment, 'ALL_PROXY');
  return {
    proxyFor: (isSecure, hostname, port) => {
      const variable = isSecure ? secure : plain;
      const isDirect = variable.text === '' || bypass.includes(hostname, port ?? (isSecure ? 443 : 80));
      return isDirect ? undefined : parseProxy(variable);
    },
    isConfigured: plain.text !== '' || secure.text !== '' || all.text !== '',
    notices: [
      ...[plain, secure, noProxy].flatMap(contradiction),
      ...[plain, secure].flatMap(uselessProxy),
      ...bypass.notUnderstood.map(
        (entry) =>
          `NO_PROXY: ${JSON.stringify(entry)} is not understood, and names no host; write a host, .suffix, address or 10.0.0.0/8`,
      ),
      ...(all.text === '' ? [] : [`${all.name} is not heeded; set HTTP_PROXY and HTTPS_PROXY`]),
    ],
  };
}

/** For messages, without user and password. */
export function nameOfProxy({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

interface Variable {
  /** in the spelling that wins */
  readonly name: string;
  /** empty: it is not set */
  readonly text: string;
  readonly contradicts: boolean;
}

function readVariable(environment: Environment, upper: string): Variable {
  const lower = upper.toLowerCase();
  const inUpper = environment[upper]?.trim() ?? '';
  const inLower = environment[lower]?.trim() ?? '';
  return {
    name: inLower === '' ? upper : lower,
    text: inLower === '' ? inUpper : inLower,
    contradicts: inLower !== '' && inUpper !== '' && inLower !== inUpper,
  };
}

function contradiction({ name, contradicts }: Variable): string[] {
  return contradicts
    ? [`${name} and ${name.toUpperCase()} differ; ${name} holds, so take one of them out`]
    : [];
}

function uselessProxy(variable: Variable): string[] {
  try {
    if (variable.text !== '') parseProxy(variable);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** `proxy:3128` is `http://proxy:3128`, as for curl. */
function parseProxy({ name, text }: Variable): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url !== null && url.hostname !== '' && ['http:', 'https:'].includes(url.protocol)) return url;
  const found = url === null ? 'it is no URL' : `it is of the kind ${url.protocol.slice(0, -1)}`;
  throw Object.assign(
    new Error(
      `the proxy of ${name} cannot be used: ${found}; give http://HOST:PORT or https://HOST:PORT, or name in NO_PROXY what is reached without it`,
    ),
    { code: BAD_PROXY },
  );
}
