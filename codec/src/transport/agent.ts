import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';

/**
 * Below the 60 s and more after which proxies and load balancers close idle connections. A server that closes earlier
 * and says so in `Keep-Alive: timeout=` is believed.
 */
const idleConnectionMs = 30_000;

/**
 * A pool of kept-alive connections that hear a refusal even when the server closes while a request body is on its way.
 * The answer then waits in the receive buffer, but Node drops it together with the socket as soon as a write fails.
 * Here a failed write ends nothing: the answer is read, or else the end of the stream.
 */
export function createAgent(protocol: string): HttpAgent {
  const options = { keepAlive: true, timeout: idleConnectionMs };
  const agent = protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  const createConnection: HttpAgent['createConnection'] = agent.createConnection.bind(agent);
  agent.createConnection = (...parameters) => outlivingFailedWrites(createConnection(...parameters));
  return agent;
}

type Done = (error?: Error | null) => void;

function outlivingFailedWrites<Connection extends Duplex | null | undefined>(
  connection: Connection,
): Connection {
  if (!connection) return connection;
  const write = connection._write.bind(connection);
  const writeMany = connection._writev?.bind(connection);
  connection._write = (chunk, encoding, done) => write(chunk, encoding, withoutPeerGone(done));
  if (writeMany) connection._writev = (chunks, done) => writeMany(chunks, withoutPeerGone(done));
  return connection;
}

function withoutPeerGone(done: Done): Done {
  return (error) => done(isPeerGone(error) ? null : error);
}

function isPeerGone(error: (Error & { code?: unknown }) | null | undefined): boolean {
  return error?.code === 'EPIPE' || error?.code === 'ECONNRESET';
}
