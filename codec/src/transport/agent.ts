import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ServiceAccess } from './service-access.ts';

/**
 * Below the 60 s and more after which proxies and load balancers close idle connections. A server that closes earlier
 * and says so in `Keep-Alive: timeout=` is believed.
 */
const idleConnectionMs = 30_000;

/** Requests move to new gateways, but not all connections at the same moment. */
const oldestConnectionMs = 300_000;

/**
 * A pool of kept-alive connections that hear a refusal even when the server closes while a request body is on its way.
 * The answer then waits in the receive buffer, but Node drops it together with the socket as soon as a write fails.
 * Here a failed write ends nothing: the answer is read, or else the end of the stream.
 */
export function createAgent(protocol: string, access: ServiceAccess): HttpAgent {
  const options = { keepAlive: true, timeout: idleConnectionMs };
  const agent =
    protocol === 'https:' ? new HttpsAgent({ ...options, ...trustOf(access) }) : new HttpAgent(options);
  const createConnection: HttpAgent['createConnection'] = agent.createConnection.bind(agent);
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  const endsAt = new WeakMap<Duplex, number>();
  agent.createConnection = (target, done) => {
    const { secureContext } = access;
    const connection = createConnection({ ...target, ...(secureContext && { secureContext }) }, done);
    const ageMs = oldestConnectionMs * (0.5 + Math.random() / 2);
    if (connection) endsAt.set(connection, performance.now() + ageMs);
    return outlivingFailedWrites(connection);
  };
  // A falsy result closes the connection.
  agent.keepSocketAlive = (socket) =>
    performance.now() < (endsAt.get(socket) ?? 0) && keepSocketAlive(socket);
  return agent;
}

/** Where there is a token or a file of authorities, no variable of the environment makes an unverified server good enough. */
function trustOf(access: ServiceAccess): HttpsAgentOptions {
  // A resumed session is of a server that was verified with the authorities of then.
  return access.trustsAsNode ? {} : { rejectUnauthorized: true, maxCachedSessions: 0 };
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
