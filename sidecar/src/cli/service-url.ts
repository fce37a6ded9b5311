import { BlobClient, type BlobClientOptions } from '@largepayload/codec';
import { type OptionHelp, stringOption, usage, type Values } from './command.ts';
import { UsageError } from './exit-codes.ts';

const {
  LARGE_PAYLOAD_SERVICE_URL: url,
  LARGE_PAYLOAD_SERVICE_TOKEN_FILE: tokenFile,
  LARGE_PAYLOAD_SERVICE_CA_FILE: caFile,
} = process.env;

/**
 * How a command reaches the data port: by default as the environment of injected pods says, else a service on this
 * machine.
 */
export const SERVICE_OPTIONS = {
  url: {
    placeholder: 'URL',
    help: 'the service; LARGE_PAYLOAD_SERVICE_URL where that is set',
    default: url || 'http://127.0.0.1:8577',
  },
  'token-file': {
    placeholder: 'FILE',
    help: 'the token to show to a gateway, by https only; LARGE_PAYLOAD_SERVICE_TOKEN_FILE where that is set',
    ...(tokenFile && { default: tokenFile }),
  },
  'ca-file': {
    placeholder: 'FILE',
    help: "the authorities to trust in place of Node's own, in PEM; LARGE_PAYLOAD_SERVICE_CA_FILE where that is set",
    ...(caFile && { default: caFile }),
  },
} satisfies Record<string, OptionHelp>;

export const ADMIN_URL_OPTION: OptionHelp = {
  placeholder: 'URL',
  help: "the service's admin port; in a cluster, reach it by kubectl port-forward",
  default: 'http://127.0.0.1:9099',
};

/** What the {@link SERVICE_OPTIONS} say, as options of a client. */
export function serviceOf(values: Values): Pick<BlobClientOptions, 'url' | 'tokenFile' | 'caFile'> {
  const options: Readonly<Record<string, OptionHelp>> = SERVICE_OPTIONS;
  const optional = (name: string) => (values[name] ?? options[name]?.default) as string | undefined;
  return {
    url: stringOption({ options }, values, 'url'),
    tokenFile: optional('token-file'),
    caFile: optional('ca-file'),
  };
}

/** The caller closes the client. @throws UsageError when the URL cannot be that of a service, or a token would be sent without TLS */
export function blobClientOf(values: Values): BlobClient {
  return usage(() => new BlobClient(serviceOf(values)));
}

/** @throws UsageError when the text is not an http:// or https:// URL */
export function parseAdminUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new UsageError(`--admin-url takes an http:// or https:// URL, not "${text}"`);
}
