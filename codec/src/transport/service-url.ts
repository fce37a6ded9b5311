import { BlockList, isIP } from 'node:net';

/**
 * The base URL of a blob service, checked: `http://host:port`, `https://host` or either with a path before `/v2`.
 * @throws TypeError with a message for the person who set it; it never quotes credentials.
 */
export function parseServiceUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError('the blob service URL must be an http:// or https:// URL');
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('the blob service URL must not contain credentials');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError('the blob service URL must not have a query or a fragment');
  }
  return url;
}

/** `path`, which starts with a slash, and `query` below the base URL. */
export function urlBelow(base: URL, path: string, query: Readonly<Record<string, string>>): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}${path}`;
  url.search = new URLSearchParams(query).toString();
  return url;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Whether only programs on this machine can reach the host. Other names than localhost may resolve to anything.
 * @param hostname an IPv6 address is in brackets, as in a URL, or not
 */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(host);
  return version === 0 ? host === 'localhost' : loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}
