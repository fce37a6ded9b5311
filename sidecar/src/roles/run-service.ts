import type { FastifyInstance } from 'fastify';
import { type DrainTimes, drainable } from '../http/drain.ts';
import { listen } from '../http/listen.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import type { RunningService } from './role.ts';

/** A server, where it listens and how it ends. */
export interface Port {
  readonly app: FastifyInstance;
  readonly address: ListenAddress;
  readonly drain: DrainTimes;
  /** ends after everything else, so that the end can be watched there */
  readonly isLast?: boolean;
}

export interface Composition<Name extends string> {
  readonly ports: Readonly<Record<Name, Port>>;
  readonly readiness: { beginDraining(): void };
  /** What goes on beside the ports until the signal is aborted. Never rejects. */
  readonly work: (signal: AbortSignal) => Promise<void>;
  /** Gives back what others wait for, when all ports and the work have ended. Never rejects. */
  readonly release: () => Promise<void>;
  /** Also where a port cannot be listened on. */
  readonly close: () => Promise<void>;
}

/**
 * Listens and begins to work. Takes over everything in the composition, and closes it.
 * @throws the error of a port that cannot be listened on
 */
export async function runService<Name extends string>(
  composition: Composition<Name>,
): Promise<RunningService<Name>> {
  const { readiness, work, release, close } = composition;
  const ports = Object.entries<Port>(composition.ports);
  const ends = ports.map(([, { app, drain, isLast }]) => {
    const end = drainable(app);
    return { isLast, end: () => end(drain) };
  });
  const addresses = await listenOnAll(ports, close);
  const stopping = new AbortController();
  const working = work(stopping.signal);
  const stop = async () => {
    readiness.beginDraining();
    stopping.abort();
    await Promise.all([...ends.filter(({ isLast }) => !isLast).map(({ end }) => end()), working]);
    await Promise.all(ends.filter(({ isLast }) => isLast).map(({ end }) => end()));
    await release();
    await close();
  };
  return { addresses: addresses as Record<Name, string>, stop };
}

async function listenOnAll(
  ports: readonly [string, Port][],
  close: () => Promise<void>,
): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  try {
    for (const [name, { app, address }] of ports) addresses[name] = await listen(app, address);
    return addresses;
  } catch (error) {
    await Promise.all(ports.map(([, { app }]) => app.close()));
    await close();
    throw error;
  }
}
