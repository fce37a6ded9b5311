import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { Connection, type Exchange, getsOf, payloadSet, putsOf } from './load.ts';
import { serveS3, startS3Server } from './s3-service.ts';
import { ServerProcess } from './server-process.ts';
import { manifest, serveArguments } from './servers.ts';

const MIB = 1024 * 1024;
const BUSY = 503;

/** Clients at a time, and how many payloads they move together. */
const CASES = [
  { clients: 1, count: 96 },
  { clients: 16, count: 384 },
  { clients: 64, count: 512 },
  { clients: 256, count: 1_024 },
] as const;

export interface ManyClientsRow {
  readonly storage: string;
  readonly verb: 'PUT' | 'GET';
  readonly clients: number;
  /** MiB a second */
  readonly throughput: number;
  /** ms, sorted */
  readonly latencies: readonly number[];
  readonly refused: number;
  /** MiB at most, of a process that did nothing else */
  readonly peakMemory: number;
  /** seconds of processor time for each GiB */
  readonly cpuPerGibibyte: number;
}

/** PUT and GET of 1 MiB by many clients at once, each with a connection of its own, from a folder and from an S3 server. */
export async function manyClients(folder: string): Promise<ManyClientsRow[]> {
  const config = `${folder}.yaml`;
  writeFileSync(config, manifest('{ttl: Forever}'));
  const onFolder = (name: string) => ServerProcess.start(...serveArguments(config, join(folder, name)));
  const rows = await measureCases('folder', async (name) => () => onFolder(name));
  const server = await startS3Server();
  try {
    return [...rows, ...(await measureCases(server.name, onBucketOf(server)))];
  } finally {
    await server.stop();
  }
}

type Start = () => Promise<ServerProcess>;

function onBucketOf(server: S3Server): (name: string) => Promise<Start> {
  return async (name) => {
    const location = await server.newBucket();
    return () => serveS3(server, location, name);
  };
}

/** @param place makes an empty storage, and gives what starts the service on it */
async function measureCases(
  storage: string,
  place: (name: string) => Promise<Start>,
): Promise<ManyClientsRow[]> {
  const rows: ManyClientsRow[] = [];
  for (const { clients, count } of CASES) {
    const start = await place(`clients-${clients}`);
    const put = await measureOne(start, clients, putsOf(payloadSet(MIB, count, `many-${clients}`)));
    rows.push({ storage, verb: 'PUT', clients, ...put });
    const get = await measureOne(start, clients, getsOf(put.keys, MIB));
    rows.push({ storage, verb: 'GET', clients, ...get });
  }
  return rows;
}

async function measureOne(start: Start, clients: number, exchanges: readonly Exchange[]) {
  const service = await start();
  try {
    const cpuBefore = service.cpuSeconds;
    const { seconds, latencies, refused, keys } = await exchangeAll(service.port, clients, exchanges);
    const mebibytes = exchanges.length;
    return {
      throughput: mebibytes / seconds,
      ...{ latencies, refused, keys },
      peakMemory: service.memory('VmHWM'),
      cpuPerGibibyte: ((service.cpuSeconds - cpuBefore) * 1_024) / mebibytes,
    };
  } finally {
    await service.stop();
  }
}

/** Each exchange is made again until it is not refused; its latency includes that. @throws Error after any other failure */
async function exchangeAll(port: number, clients: number, exchanges: readonly Exchange[]) {
  const connections = Array.from({ length: clients }, () => new Connection(port));
  const latencies: number[] = [];
  const keys: string[] = [];
  let refused = 0;
  const queue = exchanges.values();
  const started = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      for (const exchange of queue) {
        const sent = performance.now();
        let answer = await connection.exchange(exchange);
        for (; answer.status === BUSY; answer = await connection.exchange(exchange)) refused += 1;
        if (answer.status > 201) throw new Error(`${answer.status}: ${answer.text}`);
        latencies.push(performance.now() - sent);
        if (answer.status === 201) keys.push(JSON.parse(answer.text).Key);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  for (const connection of connections) connection.close();
  return { seconds, latencies: latencies.sort((a, b) => a - b), refused, keys };
}

/** Of 256 clients, the goals of a gateway. */
export function manyClientsTable(rows: readonly ManyClientsRow[]): string {
  const at = (sorted: readonly number[], share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  return markdownTable(
    ['1 MiB, clients at once', 'MiB/s', 'p50 ms', 'p99 ms', 'goal', '503', 'peak MiB', 'goal', 'CPU s/GiB'],
    rows.map(({ storage, verb, clients, throughput, latencies, refused, peakMemory, cpuPerGibibyte }) => [
      `${storage}, ${verb}, ${clients}`,
      throughput.toFixed(0),
      at(latencies, 0.5).toFixed(0),
      at(latencies, 0.99).toFixed(0),
      clients === 256 ? `≤ ${verb === 'PUT' ? '1,500' : '1,000'}` : '',
      String(refused),
      peakMemory.toFixed(0),
      '≤ 256',
      cpuPerGibibyte.toFixed(2),
    ]),
  );
}
