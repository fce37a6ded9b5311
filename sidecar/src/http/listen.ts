import type { FastifyInstance } from 'fastify';
import { formatAddress, type ListenAddress } from './listen-address.ts';

/** Listens; the address as bound, `HOST:PORT`. @throws the error of a port that cannot be listened on */
export async function listen(app: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  // By that name the framework would listen on IPv4 and IPv6, on the latter beyond our control. An empty one reaches
  // Node as none: it listens on both by one socket, or on IPv4 alone where there is no IPv6.
  await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  const bound = app.server.address();
  if (typeof bound !== 'object' || bound === null) return formatAddress(host, port);
  return formatAddress(host === '' ? bound.address : host, bound.port);
}
