// node sidecar/bench/role-costs.ts [PROGRAM…] prints what each role costs at rest. Programs are measured in turn, so that
// two builds can be compared on a busy machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { markdownTable, median } from '@largepayload/testing/benchmarks/markdown-table';
import { machineFacts } from '@largepayload/testing/benchmarks/measuring';
import { ServerProcess } from './processes/server-process.ts';
import { PROGRAM } from './processes/servers.ts';

const STARTS = 7;
const SETTLED_MS = 3_000;
const ANY_PORT = '127.0.0.1:0';
/** Nothing listens at the endpoint. Gateway and reaper listen all the same, and have loaded the driver and its SDK. */
const STORAGE = {
  folder: '{filesystem: {claimName: bench}}',
  bucket: '{s3: {bucket: bench, region: us-east-1, endpoint: "http://127.0.0.1:9", forcePathStyle: true}}',
};

const folder = mkdtempSync(join(tmpdir(), 'payload-store-roles-'));
const given = process.argv.slice(2);
const programs = given.length === 0 ? [PROGRAM] : given;
const roles: ReadonlyArray<readonly [string, readonly string[]]> = [
  ['standalone, folder', serve('standalone', 'folder')],
  ['gateway, folder', serve('gateway', 'folder')],
  ['gateway, bucket', serve('gateway', 'bucket')],
  ['reaper, bucket', serve('reaper', 'bucket')],
  ['codec-server', ['codec-server', '--listen', ANY_PORT]],
];
try {
  const rows: string[][] = [];
  for (const [role, args] of roles) rows.push(...(await rowsOf(role, args)));
  console.log(`${machineFacts()}\n`);
  console.log(markdownTable(['role', 'program', 'start to listening, ms', 'idle memory, MiB'], rows));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function rowsOf(role: string, args: readonly string[]): Promise<string[][]> {
  const measured = programs.map((program) => ({ program, starts: [] as number[], memory: [] as number[] }));
  for (let start = 0; start < STARTS; start++) {
    for (const { program, starts, memory } of measured) {
      const server = await ServerProcess.start(program, ...args);
      starts.push(server.startTime);
      if (start % 3 === 0) {
        await sleep(SETTLED_MS);
        memory.push(server.memory('VmRSS'));
      }
      // Killed: a gateway that is told to end serves on for seconds.
      if (server.pid !== undefined) process.kill(server.pid, 'SIGKILL');
      await server.stop();
    }
  }
  return measured.map(({ program, starts, memory }) => [
    role,
    program,
    median(starts).toFixed(0),
    median(memory).toFixed(1),
  ]);
}

function serve(role: string, storage: keyof typeof STORAGE): string[] {
  const retention = '{ttl: 30d}';
  const config = join(folder, `${role}-${storage}.yaml`);
  writeFileSync(
    config,
    `apiVersion: largepayload.dev/v1alpha1
kind: LargePayloadStore
metadata: {name: bench}
spec: {storage: ${STORAGE[storage]}, retention: ${retention}}
`,
  );
  const place = storage === 'folder' ? ['--data-dir', join(folder, role)] : [];
  const dataPort = role === 'reaper' ? [] : ['--listen', ANY_PORT];
  const ports = ['--metrics-listen', ANY_PORT, '--admin-listen', ANY_PORT];
  return ['serve', '--role', role, '--config', config, ...place, ...dataPort, ...ports];
}
