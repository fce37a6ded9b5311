import type { FastifyInstance } from 'fastify';
import { formatAddress, type ListenAddress } from './listen-address.ts';

/** Listens; the address as bound, `HOST:PORT`. @throws the error of a port that cannot be listened on */
export async function listen(app: FastifyInstance, { host, port }: ListenAddress): Promise<string> {
  // By that name the framework would listen on IPv4 and IPv6, on the latter beyond our control.
  await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  const bound = app.server.address();
  return formatAddress(host, typeof bound === 'object' && bound !== null ? bound.port : port);
}
