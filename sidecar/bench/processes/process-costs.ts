import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { markdownTable, median } from '@largepayload/testing/benchmarks/markdown-table';
import { machineFacts } from '@largepayload/testing/benchmarks/measuring';
import { writeCredentials } from '@largepayload/testing/s3-servers/s3-server';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { runLoad } from '../load/load-client.ts';
import { ServerProcess } from './server-process.ts';
import { PROGRAM, serveArguments } from './servers.ts';
import { type SidecarAtRest, sidecarAtRest } from './sidecar-at-rest.ts';

const GIB = 1024 ** 3;
const STARTS = 7;
/** A process gives back what its start left behind after 5 s (sidecar/src/runtime-settings.ts). */
const SETTLED_MS = 10_000;
const ANY_PORT = '127.0.0.1:0';
const BARE_NODE = `console.log('{"msg":"listening"}'); setInterval(() => {}, 1e6);`;
/** Nothing listens at the endpoint. Gateway and reaper listen all the same, and have loaded the driver and its SDK. */
const STORAGE = {
  folder: { filesystem: { claimName: 'bench' } },
  bucket: {
    s3: { bucket: 'bench', region: 'us-east-1', endpoint: 'http://127.0.0.1:9', forcePathStyle: true },
  },
};

export interface IdleCosts {
  readonly role: string;
  readonly program: string;
  /** ms from spawn to the listening line, median */
  readonly startTime: number;
  /** MiB after some seconds without requests, medians; `files` are pages of Node's and the system's own files */
  readonly memory: { readonly all: number; readonly files: number };
}

export interface ProcessCosts {
  readonly idle: readonly IdleCosts[];
  /** MiB at most while 1 GiB went into a folder and out of it */
  readonly peakMemory: number;
  readonly sidecar: SidecarAtRest;
}

/** @param load the load client */
export async function processCosts(load: string, config: string, folder: string): Promise<ProcessCosts> {
  const idle = await idleCosts([PROGRAM]);
  const service = await ServerProcess.start(...serveArguments(config, folder));
  try {
    const keys = join(folder, 'keys.json');
    const order = { clients: 1, size: GIB, seed: randomBytes(8).toString('hex'), keys, count: 1 };
    await runLoad(load, service.port, { verb: 'put', ...order });
    await runLoad(load, service.port, { verb: 'get', ...order });
    const peakMemory = service.memory('VmHWM');
    const sidecar = await sidecarAtRest(load, service, join(folder, 'sidecar-keys.json'));
    return { idle, peakMemory, sidecar };
  } finally {
    await service.stop();
  }
}

export function idleTable(rows: readonly IdleCosts[]): string {
  const hasMany = new Set(rows.map(({ program }) => program)).size > 2;
  return markdownTable(
    ['idle process', 'start to listening, ms', 'memory, MiB', 'of it shared files', 'of it its own'],
    rows.map(({ role, program, startTime, memory: { all, files } }) => [
      hasMany ? `${role} (${program})` : role,
      ...[startTime.toFixed(0), all.toFixed(1), files.toFixed(1), (all - files).toFixed(1)],
    ]),
  );
}

/** What each role costs at rest. Programs are measured in turn, so that builds can be compared on a busy machine. */
async function idleCosts(programs: readonly string[]): Promise<IdleCosts[]> {
  const folder = mkdtempSync(join(tmpdir(), 'payload-store-roles-'));
  try {
    const measured = commands(folder, programs).map((command) => ({
      ...command,
      starts: [] as number[],
      all: [] as number[],
      files: [] as number[],
    }));
    for (let start = 0; start < STARTS; start++) {
      const running: ServerProcess[] = [];
      for (const { args, starts } of measured) {
        const server = await ServerProcess.start(...args);
        starts.push(server.startTime);
        running.push(server);
      }
      if (start % 3 === 0) await sleep(SETTLED_MS);
      for (const [index, server] of running.entries()) {
        if (start % 3 === 0) {
          measured[index]?.all.push(server.memory('VmRSS'));
          measured[index]?.files.push(server.memory('RssFile'));
        }
        // A gateway that gets SIGTERM serves for some seconds more, and a killed process does not write its compiled code. So only the first one ends in order.
        if (start > 0 && server.pid !== undefined) process.kill(server.pid, 'SIGKILL');
      }
      await Promise.all(running.map((server) => server.stop()));
    }
    return measured.map(({ role, program, starts, all, files }) => ({
      ...{ role, program, startTime: median(starts) },
      memory: { all: median(all), files: median(files) },
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function commands(folder: string, programs: readonly string[]) {
  const serve = (role: string, storage: keyof typeof STORAGE) => {
    const config = join(folder, `${role}-${storage}.yaml`);
    writeFileSync(config, manifestOn(STORAGE[storage], { name: 'bench', ttl: '30d', reaperInterval: '1h' }));
    const place =
      storage === 'folder'
        ? ['--data-dir', join(folder, role)]
        : ['--credentials-dir', writeCredentials(join(folder, 'credentials'))];
    const dataPort = role === 'reaper' ? [] : ['--listen', ANY_PORT];
    const ports = ['--metrics-listen', ANY_PORT, '--admin-listen', ANY_PORT];
    return ['serve', '--role', role, '--config', config, ...place, ...dataPort, ...ports];
  };
  const dataAndMetrics = ['--listen', ANY_PORT, '--metrics-listen', ANY_PORT];
  const roles: ReadonlyArray<readonly [string, readonly string[]]> = [
    ['standalone, folder', serve('standalone', 'folder')],
    ['gateway, folder', serve('gateway', 'folder')],
    ['gateway, bucket', serve('gateway', 'bucket')],
    ['reaper, bucket', serve('reaper', 'bucket')],
    ['sidecar', ['sidecar', '--gateway-url', 'http://127.0.0.1:9', ...dataAndMetrics]],
    ['codec-server', ['codec-server', '--listen', ANY_PORT]],
  ];
  return [
    { role: 'Node alone', program: 'node', args: ['-e', BARE_NODE] },
    ...roles.flatMap(([role, args]) =>
      programs.map((program) => ({ role, program, args: [program, ...args] })),
    ),
  ];
}

// `node sidecar/bench/processes/process-costs.ts PROGRAM…` compares builds; bench.ts measures the one of `make build`.
if (import.meta.main) {
  const rows = await idleCosts(process.argv.length > 2 ? process.argv.slice(2) : [PROGRAM]);
  console.log(`${machineFacts()}\n\n${idleTable(rows)}`);
}
