import { BlobClient } from '@largepayload/codec';
import { type OptionHelp, usage } from './command.ts';
import { UsageError } from './exit-codes.ts';

/** By default the URL in the environment of injected pods, else a service on this machine. */
export const URL_OPTION: OptionHelp = {
  placeholder: 'URL',
  help: 'the service; LARGE_PAYLOAD_SERVICE_URL where that is set',
  default: process.env.LARGE_PAYLOAD_SERVICE_URL || 'http://127.0.0.1:8577',
};

export const ADMIN_URL_OPTION: OptionHelp = {
  placeholder: 'URL',
  help: "the service's admin port; in a cluster, reach it by kubectl port-forward",
  default: 'http://127.0.0.1:9099',
};

/** The caller closes the client. @throws UsageError when the URL cannot be that of a service */
export function blobClientOf(url: string): BlobClient {
  return usage(() => new BlobClient({ url }));
}

/** @throws UsageError when the text is not an http:// or https:// URL */
export function parseAdminUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new UsageError(`--admin-url takes an http:// or https:// URL, not "${text}"`);
}
