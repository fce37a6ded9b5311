import type { TransportRequest } from './transport.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Characters of Latin-1, without control characters. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const TARGET = /^[\x21-\x7e]+$/;

/**
 * The head of a request, with its empty line.
 * @param bodyLength bytes; `undefined`: there is no body
 * @throws TypeError for spaces, CR or LF where they would make another request of it
 */
export function requestHead(request: TransportRequest, bodyLength: number | undefined): Buffer {
  const { method, path, headers, hostname, port } = request;
  if (!TOKEN.test(method) || !TARGET.test(path)) throw new TypeError('a request with an impossible target');
  let text = `${method} ${path} HTTP/1.1\r\n`;
  const names = new Set<string>();
  const add = (name: string, value: string) => {
    if (!TOKEN.test(name) || !VALUE.test(value))
      throw new TypeError(`a request with an impossible header ${name}`);
    if (name.toLowerCase() === 'content-length' && Number(value) !== (bodyLength ?? 0))
      throw new TypeError(`a request of ${value} bytes with a body of ${bodyLength ?? 0}`);
    names.add(name.toLowerCase());
    text += `${name}: ${value}\r\n`;
  };
  for (const [name, value] of Object.entries(headers)) add(name, value);
  if (!names.has('host')) add('Host', port === undefined ? hostname : `${hostname}:${port}`);
  // The bytes have to come as they were stored.
  if (!names.has('accept-encoding')) add('Accept-Encoding', 'identity');
  if (bodyLength !== undefined && !names.has('content-length')) add('Content-Length', `${bodyLength}`);
  return Buffer.from(`${text}\r\n`, 'latin1');
}
