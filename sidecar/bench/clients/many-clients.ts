import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { type LoadOrder, type LoadReport, runLoadWithRefusals } from '../load/load-client.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { manifest, serveArguments } from '../processes/servers.ts';
import { serveS3 } from '../s3/s3-service.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const BUSY = '503';

/** Clients at a time, and how many payloads they move together. */
const CASES = [
  { clients: 1, count: 96 },
  { clients: 16, count: 384 },
  { clients: 64, count: 512 },
  { clients: 256, count: 1_024 },
] as const;

export interface ManyClientsRow {
  readonly storage: string;
  readonly verb: LoadOrder['verb'];
  readonly clients: number;
  readonly load: LoadReport;
  /** number of answers 503 */
  readonly refused: number;
  /** MiB at most; each case has a process of its own */
  readonly peakMemory: number;
  /** seconds of processor time for each GiB */
  readonly cpu: number;
}

type Start = () => Promise<ServerProcess>;

/**
 * PUT and GET of 1 MiB by many clients at once, each with a connection of its own, from a folder and from an S3 server.
 * @param load the load client
 */
export async function manyClients(load: string, folder: string): Promise<ManyClientsRow[]> {
  const config = `${folder}.yaml`;
  writeFileSync(config, manifest('{ttl: Forever}'));
  const inFolder = async (name: string) => () =>
    ServerProcess.start(...serveArguments(config, join(folder, name)));
  const rows = await measureCases(load, 'folder', `${folder}.json`, inFolder);
  const server = await startVersitygw('--keep-alive');
  try {
    const keys = join(server.folder, 'many-clients.json');
    return [...rows, ...(await measureCases(load, server.name, keys, onBucketOf(server)))];
  } finally {
    await server.stop();
  }
}

function onBucketOf(server: S3Server): (name: string) => Promise<Start> {
  return async (name) => {
    const location = await server.newBucket();
    return () => serveS3(server, location, name);
  };
}

/** @param place makes an empty storage, and returns a function that starts the service on it */
async function measureCases(
  load: string,
  storage: string,
  keys: string,
  place: (name: string) => Promise<Start>,
): Promise<ManyClientsRow[]> {
  const rows: ManyClientsRow[] = [];
  for (const { clients, count } of CASES) {
    const start = await place(`clients-${clients}`);
    const order = { clients, size: MIB, seed: `many-${clients}`, keys };
    const put = await measureOne(load, start, { verb: 'put', ...order, count });
    const get = await measureOne(load, start, { verb: 'get', ...order, once: true });
    rows.push({ storage, verb: 'put', clients, ...put }, { storage, verb: 'get', clients, ...get });
  }
  return rows;
}

async function measureOne(program: string, start: Start, order: LoadOrder) {
  const service = await start();
  try {
    const cpuBefore = service.cpuSeconds;
    const load = await runLoadWithRefusals(program, service.port, order);
    const unexpected = Object.keys(load.statuses).filter((status) => !['200', '201', BUSY].includes(status));
    if (unexpected.length > 0) throw new Error(`answers by status ${JSON.stringify(load.statuses)}`);
    const cpu = (service.cpuSeconds - cpuBefore) / (load.bytes / GIB);
    return { load, refused: load.statuses[BUSY] ?? 0, peakMemory: service.memory('VmHWM'), cpu };
  } finally {
    await service.stop();
  }
}
