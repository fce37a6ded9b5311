import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runLoad } from '../load/load-client.ts';
import { inTurns, type SideName } from '../load/rounds.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { manifest, PROGRAM, serveArguments } from '../processes/servers.ts';
import { type Bed, MIB, type PeerRow, ROUNDS, SECONDS, type Size, WARM_UP_SECONDS } from './row.ts';

/** GET of files that were read before, beside the peer's GET from its memory. */
export async function onFolder(sizes: readonly Size[], bed: Bed): Promise<PeerRow[]> {
  if (sizes.length === 0) return [];
  const { programs, folder, baseline } = bed;
  const config = join(folder, 'store.yaml');
  writeFileSync(config, manifest('{ttl: Forever}'));
  const serve = (name: string, program: string) =>
    ServerProcess.start(...serveArguments(config, join(folder, name), program));
  const servers: [SideName, ServerProcess][] = [];
  try {
    servers.push(['ours', await serve('ours', PROGRAM)]);
    servers.push(['peer', await ServerProcess.startProgram(programs.peer, ['-driver', 'memory'])]);
    if (baseline !== undefined) servers.push(['before', await serve('before', baseline)]);
    const rows: PeerRow[] = [];
    for (const size of sizes.filter(({ size }) => size <= MIB)) rows.push(await gets(servers, size, bed));
    return rows;
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

async function gets(
  servers: readonly [SideName, ServerProcess][],
  { label, size, clients, repeated }: Size,
  { programs, folder }: Bed,
): Promise<PeerRow> {
  const load = async (verb: 'put' | 'get', name: SideName, server: ServerProcess, seconds: number) => {
    const [seed, keys] = [`${name}-files`, join(folder, `${name}-files.json`)];
    const count = verb === 'put' ? repeated : 0;
    return await runLoad(programs.load, server.port, {
      verb,
      clients,
      size,
      seconds,
      seed,
      keys,
      count,
    });
  };
  for (const [name, server] of servers) {
    await load('put', name, server, 0);
    await load('get', name, server, WARM_UP_SECONDS);
  }
  const rounds = await inTurns(ROUNDS, () =>
    servers.map(([side, server]) => ({ side, server, work: () => load('get', side, server, SECONDS) })),
  );
  return { where: 'filesystem', operation: 'GET repeated', size: label, clients, rounds };
}
