import { isLoopback } from '@largepayload/codec/wire/loopback';
import { parseCacheSize } from '../cli/cache-size.ts';
import type { Command, Values } from '../cli/command.ts';
import { usage } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { type ListenAddress, parseListenAddress } from '../http/listen-address.ts';
import type { SidecarSettings } from '../roles/sidecar.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const SIDECAR_OPTIONS: Command['options'] = {
  'gateway-url': {
    placeholder: 'URL',
    help: 'the gateway of the store, such as https://documents-gateway.orders.svc:8577; http:// on this machine only, without token and authorities [LARGE_PAYLOAD_GATEWAY_URL]',
  },
  'token-file': {
    placeholder: 'FILE',
    help: 'has the token that the gateway asks for; read again when it changes [LARGE_PAYLOAD_SERVICE_TOKEN_FILE]',
  },
  'ca-file': {
    placeholder: 'FILE',
    help: "PEM certificates of the authorities that are trusted to sign the gateway's certificate, and no others; read again when it changes; without it, those that Node trusts [LARGE_PAYLOAD_SERVICE_CA_FILE]",
  },
  'cache-size': {
    placeholder: 'SIZE',
    help: 'memory for a cache of payloads, from 1Mi to 16Gi; 0: no cache [LARGE_PAYLOAD_CACHE_SIZE; default: 64Mi]',
  },
  listen: {
    placeholder: 'HOST:PORT',
    help: 'data port, for the worker [LARGE_PAYLOAD_LISTEN; default: 127.0.0.1:8577]',
  },
  'metrics-listen': {
    placeholder: 'HOST:PORT',
    help: '/metrics, /healthz and /readyz [LARGE_PAYLOAD_METRICS_LISTEN; default: 127.0.0.1:8578]',
  },
  'allow-remote': {
    help: 'let the ports listen beyond loopback; a client of the data port uses the token of this sidecar',
  },
};

/** The environment variable that stands in for an option. An empty one counts as not set. */
const VARIABLES = {
  'gateway-url': 'LARGE_PAYLOAD_GATEWAY_URL',
  'token-file': 'LARGE_PAYLOAD_SERVICE_TOKEN_FILE',
  'ca-file': 'LARGE_PAYLOAD_SERVICE_CA_FILE',
  'cache-size': 'LARGE_PAYLOAD_CACHE_SIZE',
  listen: 'LARGE_PAYLOAD_LISTEN',
  'metrics-listen': 'LARGE_PAYLOAD_METRICS_LISTEN',
} as const;

type OptionName = keyof typeof VARIABLES;

/** By options, and where they are not given by the environment. @throws UsageError */
export function sidecarSettings(values: Values, environment: Environment): SidecarSettings {
  const given = (name: OptionName): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : environment[VARIABLES[name]] || undefined;
  };
  /** As a person knows the setting: in a pod it is often a variable. */
  const source = (name: OptionName) => (typeof values[name] === 'string' ? `--${name}` : VARIABLES[name]);
  const remote = values['allow-remote'] === true;
  const listenAddress = (name: 'listen' | 'metrics-listen', fallback: string): ListenAddress =>
    allowedAddress(given(name) ?? fallback, source(name), remote);
  const gateway = {
    url: gatewayUrl(given('gateway-url'), source('gateway-url')),
    tokenFile: given('token-file'),
    caFile: given('ca-file'),
  };
  assertAccess(gateway);
  return {
    gateway,
    cacheSize: parseCacheSize(given('cache-size') ?? '64Mi', source('cache-size')),
    listen: {
      data: listenAddress('listen', '127.0.0.1:8577'),
      metrics: listenAddress('metrics-listen', '127.0.0.1:8578'),
    },
  };
}

function gatewayUrl(text: string | undefined, source: string): URL {
  if (text === undefined)
    throw new UsageError(`--gateway-url URL is required, or ${VARIABLES['gateway-url']}`);
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(`${source} takes an https:// URL, not "${text}"`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new UsageError(`${source} takes no user, password, query or fragment`);
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw new UsageError(
      `${source} ${text} would send payloads without encryption; use https://, http:// is for this machine only`,
    );
  return url;
}

function assertAccess({ url, tokenFile, caFile }: SidecarSettings['gateway']): void {
  if (url.protocol === 'http:' || tokenFile !== undefined || caFile !== undefined) return;
  throw new UsageError(
    `give --token-file and --ca-file, or ${VARIABLES['token-file']} and ${VARIABLES['ca-file']}; a gateway with a certificate of a public authority needs the token only`,
  );
}

function allowedAddress(text: string, source: string, remote: boolean): ListenAddress {
  const address = usage(() => parseListenAddress(text), source);
  if (remote || isLoopback(address.host)) return address;
  throw new UsageError(
    `${source} ${text} can be reached from other machines; say --allow-remote if that is meant`,
  );
}
