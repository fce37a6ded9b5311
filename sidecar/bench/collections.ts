// node sidecar/bench/collections.ts [ROOT…] counts V8's collections of the whole heap for each GiB that passes, in the services
// of these working trees, or of this one; over the memory driver, and before an S3 server. Needs `make build` in each of them.
import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { markdownTable, median } from '@largepayload/testing/benchmarks/markdown-table';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { getsOf, keysOf, type LoadResult, payloadSet, putsOf, runLoad } from './load.ts';
import { startS3Server } from './s3-service.ts';
import { runArguments } from './servers.ts';
import { TracedService } from './traced-service.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const CLIENTS = 4;
/** The first one warms up. */
const ROUNDS = 3;
/** Of each size, in each direction. */
const ROUND_BYTES = 128 * MIB;
const ROUNDS_PER_GIBIBYTE = (1024 * MIB) / ROUND_BYTES;
const SIZES = [
  { label: '128 KiB', size: 128 * KIB },
  { label: '1 MiB', size: MIB },
  { label: '16 MiB', size: 16 * MIB },
];
/** As in memory-transfers.ts, ms. */
const WINDOWS_CLOSED = 17_000;
const HEAD = ['', 'whole collections/GiB', 'scavenges/GiB', 'CPU s/GiB', 'MiB/s'];

interface Round {
  readonly collections: number;
  readonly scavenges: number;
  readonly cpuSeconds: number;
  readonly throughput: number;
}

async function traced(
  service: TracedService,
  work: () => Promise<LoadResult>,
): Promise<{ readonly round: Round; readonly result: LoadResult }> {
  const { collections, scavenges, cpuSeconds } = service;
  const result = await work();
  const round = {
    collections: (service.collections - collections) * ROUNDS_PER_GIBIBYTE,
    scavenges: (service.scavenges - scavenges) * ROUNDS_PER_GIBIBYTE,
    cpuSeconds: (service.cpuSeconds - cpuSeconds) * ROUNDS_PER_GIBIBYTE,
    throughput: ROUND_BYTES / MIB / result.seconds,
  };
  return { round, result };
}

const puts = (service: TracedService, size: number, seed: string) =>
  runLoad(service.port, CLIENTS, putsOf(payloadSet(size, ROUND_BYTES / size, `${seed}-${size}`)));

/** The services take turns, so that a machine whose speed drifts drifts for all. */
async function measure(services: readonly TracedService[]): Promise<string[][]> {
  const rows: string[][] = [];
  for (const { label, size } of SIZES) {
    const rounds = services.map(() => ({ put: [] as Round[], get: [] as Round[] }));
    for (let index = 0; index < ROUNDS; index += 1) {
      for (const [side, service] of services.entries()) {
        const put = await traced(service, () => puts(service, size, `round ${index}`));
        const gets = getsOf(keysOf(put.result), size);
        const get = await traced(service, () => runLoad(service.port, CLIENTS, gets));
        if (index === 0) continue;
        rounds[side]?.put.push(put.round);
        rounds[side]?.get.push(get.round);
      }
    }
    for (const verb of ['put', 'get'] as const) {
      for (const [side, { name }] of services.entries())
        rows.push(rowOf(`${name}: ${verb.toUpperCase()} ${label}`, rounds[side]?.[verb] ?? []));
    }
  }
  for (const { name, peakMemory } of services)
    rows.push([`${name}: most memory`, '', '', '', `${peakMemory} MiB`]);
  return rows;
}

function rowOf(what: string, rounds: readonly Round[]): string[] {
  const mean = (of: keyof Round) => rounds.reduce((sum, round) => sum + round[of], 0) / rounds.length;
  return [
    what,
    mean('collections').toFixed(0),
    mean('scavenges').toFixed(0),
    mean('cpuSeconds').toFixed(2),
    median(rounds.map(({ throughput }) => throughput)).toFixed(0),
  ];
}

/** The driver's memory was used before, as fresh memory outside V8's heap makes it collect too. */
async function overMemory(roots: readonly string[]): Promise<string[][]> {
  const services: TracedService[] = [];
  for (const root of roots) {
    const script = join(root, 'sidecar/bench/memory-service.ts');
    services.push(
      await TracedService.start(`${basename(root)}, memory`, ['--conditions=largepayload-source', script]),
    );
  }
  try {
    for (const service of services) {
      for (const { size } of SIZES)
        for (let index = 0; index < ROUNDS; index += 1) await puts(service, size, `warm-up ${index}`);
    }
    await sleep(WINDOWS_CLOSED);
    for (const service of services) await service.cleanup('1s');
    return await measure(services);
  } finally {
    for (const service of services) await service.stop();
  }
}

async function overS3(roots: readonly string[]): Promise<string[][]> {
  const server = await startS3Server();
  const services: TracedService[] = [];
  try {
    for (const [index, root] of roots.entries()) {
      const name = `collections-${index}`;
      const config = join(server.folder, `${name}.yaml`);
      writeFileSync(config, manifestOn({ s3: await server.newBucket() }, { name }));
      const [, ...serve] = runArguments(config);
      const program = join(root, 'sidecar/dist/payload-store.mjs');
      const args = [program, ...serve, '--credentials-dir', server.credentialsFolder];
      services.push(await TracedService.start(`${basename(root)}, S3`, args));
    }
    return await measure(services);
  } finally {
    for (const service of services) await service.stop();
    await server.stop();
  }
}

const chosen = process.argv.slice(2);
const roots = (chosen.length === 0 ? [join(import.meta.dirname, '../..')] : chosen).map((root) =>
  resolve(root),
);
const rows = [...(await overMemory(roots)), ...(await overS3(roots))];
process.stdout.write(`${markdownTable(HEAD, rows)}\n`);
