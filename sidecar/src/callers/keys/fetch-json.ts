import { isWithinBounds } from '../../http/bounded-json.ts';
import { exchange } from '../../http-client/exchange.ts';
import type { HttpAgents } from '../../http-client/http-agents.ts';

/** Bytes. A set of 64 RSA keys of 8,192 bits has 100 KiB. */
const LARGEST_DOCUMENT = 256 * 1024;
const BOUNDS = { depth: 8, items: 4_096 };

/**
 * The JSON object at an address. Redirects are not followed.
 * @throws Error that says what the server answered; the signal's reason
 */
export async function fetchJson(
  agents: HttpAgents,
  address: string,
  { signal, token }: { readonly signal: AbortSignal; readonly token?: string | undefined },
): Promise<Readonly<Record<string, unknown>>> {
  const { protocol, hostname, port, pathname, search } = new URL(address);
  const { statusCode, headers, body } = await exchange(
    agents,
    {
      ...{ protocol, hostname, port: port === '' ? undefined : Number(port) },
      ...{ method: 'GET', path: `${pathname}${search}` },
      headers: {
        // Kubernetes' API server has its keys as application/jwk-set+json (RFC 7517, section 8.5) only, and else answers 406.
        Accept: 'application/json, application/jwk-set+json',
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
    },
    { signal },
  );
  if (statusCode >= 300 && statusCode < 400)
    throw new Error(`it answers ${statusCode}, which is not followed`);
  if (statusCode !== 200) throw new Error(`it answers ${statusCode}`);
  return objectOf(body as Buffer, headers['content-type']);
}

function objectOf(bytes: Buffer, type = 'no Content-Type'): Readonly<Record<string, unknown>> {
  if (bytes.length > LARGEST_DOCUMENT) throw new Error(`it answers ${bytes.length} bytes`);
  if (!isWithinBounds(bytes, BOUNDS)) throw new Error('it answers JSON with too many parts');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw new Error(`it answers ${type.slice(0, 60)}, which is no JSON`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new Error('it answers JSON that is no object');
}
