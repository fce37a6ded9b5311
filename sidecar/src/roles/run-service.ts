import type { FastifyInstance } from 'fastify';
import { drainable, type EndServer } from '../http/drain.ts';
import { listen } from '../http/listen.ts';
import type { RunningService, ServiceSettings } from './role.ts';
import type { ServiceParts } from './service-parts.ts';

/** Nothing is lost when the other ports cut off: a cleanup goes on when it is asked for again. */
const SHORT_DRAIN_LIMIT = 1_000;

type PortName = keyof ServiceSettings['listen'];

export interface Composition<Port extends PortName> {
  readonly parts: ServiceParts;
  /** metrics and admin, and data where the role has it */
  readonly servers: Readonly<Record<Port | 'metrics' | 'admin', FastifyInstance>>;
  /** ms: how the data port ends */
  readonly drain: { readonly limit: number; readonly lameDuck: number; readonly linger: number };
  /** What goes on beside the ports until the signal is aborted. Never rejects. */
  readonly work: (signal: AbortSignal) => Promise<void>;
}

/**
 * Listens and begins to work. Takes over the driver of the parts, and closes it.
 * @throws the error of a port that cannot be listened on
 */
export async function runService<Port extends PortName>(
  composition: Composition<Port>,
): Promise<RunningService<Port | 'metrics' | 'admin'>> {
  const { parts, servers, work } = composition;
  const ends = Object.fromEntries(
    Object.entries<FastifyInstance>(servers).map(([port, app]) => [port, drainable(app)]),
  ) as Ends;
  const addresses = await listenOnAll(servers, parts);
  const stopping = new AbortController();
  const working = work(stopping.signal);
  const stop = async () => {
    parts.readiness.beginDraining();
    stopping.abort();
    await endServers(ends, composition.drain, working);
    await parts.lease.release();
    await parts.driver.close();
  };
  return { addresses, stop };
}

type Ends = Readonly<{ data?: EndServer; metrics: EndServer; admin: EndServer }>;

/** The metrics port is the last one, so that the end can be watched. */
async function endServers(
  { data, metrics, admin }: Ends,
  { limit, ...times }: Composition<PortName>['drain'],
  working: Promise<void>,
): Promise<void> {
  await Promise.all([data?.(limit, times), admin(SHORT_DRAIN_LIMIT), working]);
  await metrics(SHORT_DRAIN_LIMIT);
}

async function listenOnAll<Port extends PortName>(
  servers: Readonly<Record<Port, FastifyInstance>>,
  { settings, driver }: ServiceParts,
): Promise<Record<Port, string>> {
  const addresses: Partial<Record<Port, string>> = {};
  try {
    for (const port of Object.keys(servers) as Port[]) {
      addresses[port] = await listen(servers[port], settings.listen[port]);
    }
    return addresses as Record<Port, string>;
  } catch (error) {
    await Promise.all(Object.values<FastifyInstance>(servers).map((server) => server.close()));
    await driver.close();
    throw error;
  }
}
