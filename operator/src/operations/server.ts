import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface RunningServer {
  /** `HOST:PORT` */
  readonly address: string;
  close(): Promise<void>;
}

/** Probes and scrapes are few and small. Together their connections hold at most about 20 MiB. */
const MOST_CONNECTIONS = 256;
/** `maxHeaderSize` in bytes, times in ms */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

/**
 * Serves `/metrics`, `/healthz` (the process is up) and `/readyz`.
 * @param missing why this replica can neither lead nor stand by; `undefined`: it can
 * @throws Error when it cannot listen there
 */
export async function listen(
  registry: Registry,
  missing: () => string | undefined,
  at: { readonly host: string | undefined; readonly port: number },
): Promise<RunningServer> {
  const server = createServer(LIMITS, async (request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': type }).end(text);
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'GET only\n');
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return answer(200, 'ok\n');
      case '/readyz': {
        const lack = missing();
        return lack === undefined ? answer(200, 'ok\n') : answer(503, `${lack}\n`);
      }
      case '/metrics':
        return answer(200, await registry.metrics(), registry.contentType);
      default:
        return answer(404, 'there are /metrics, /healthz and /readyz\n');
    }
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(at.port, at.host);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { address: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`, close };
}
