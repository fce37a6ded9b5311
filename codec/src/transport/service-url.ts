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
