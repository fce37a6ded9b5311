// node sidecar/bench/bench.ts [PART…] measures these parts, or all; --write puts tables and pictures into docs/.
// `sidecar --write` needs no other part. The part `peer` has options of its own:
//   --baseline PROGRAM measures another build of the service too, a `payload-store.mjs`; then `peer --write` needs no other part
//   --cases EXPRESSION measures only the places and sizes that match, such as 'S3, 1 MiB' or 'TLS|filesystem'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineFacts, measured } from '@largepayload/testing/benchmarks/measuring';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { manyClients } from './clients/many-clients.ts';
import { manyClientsTable } from './clients/many-clients-table.ts';
import { codecMemory } from './codec/codec-memory-costs.ts';
import { codecTransfers, smallPayloadCost } from './codec/codec-transfers.ts';
import { durablePuts } from './filesystem/durable-puts.ts';
import { reapingCosts } from './filesystem/reaping.ts';
import { type BenchPrograms, benchPrograms } from './load/go-programs.ts';
import { writeBeforeAfter, writePages, writeSidecar } from './page/performance-page.ts';
import { codecCostTable, codecTable, otherTable, putTable } from './page/tables.ts';
import { peerCosts } from './peer/peer-costs.ts';
import { beforeAfterTable, peerTable } from './peer/peer-table.ts';
import { idleTable, processCosts } from './processes/process-costs.ts';
import { manifest } from './processes/servers.ts';
import { profileTable } from './profile/profile-table.ts';
import { profiles } from './profile/profiles.ts';
import { measureS3 } from './s3/s3-costs.ts';
import { s3RequestTable, s3Table } from './s3/s3-tables.ts';
import { sidecarCosts } from './sidecar/sidecar-costs.ts';
import { sidecarTables } from './sidecar/sidecar-tables.ts';

const PARTS = ['processes', 'puts', 'reaping', 'codec', 's3', 'sidecar', 'peer', 'clients'] as const;
type Part = (typeof PARTS)[number];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' }, baseline: { type: 'string' }, cases: { type: 'string' } },
});
const { write = false, baseline } = values;
const cases = values.cases === undefined ? undefined : new RegExp(values.cases);
const chosen = partsOf(positionals);
const [only] = chosen.size === 1 ? chosen : [];
const hasOwnFigures = only === 'sidecar' || (only === 'peer' && baseline !== undefined);
if (write && (cases !== undefined || (chosen.size < PARTS.length && !hasOwnFigures)))
  throw new Error(
    '--write needs all parts, the part sidecar, or the part peer with --baseline, and no --cases',
  );

const programs = await benchPrograms().catch((error) => {
  if (!(error instanceof MissingProgramError) || write) throw error;
  process.stderr.write(`${error.message}\n`);
  return undefined;
});
const folder = mkdtempSync(join(tmpdir(), 'payload-store-bench-'));
try {
  const config = join(folder, 'store.yaml');
  writeFileSync(config, manifest('{ttl: Forever}'));
  const dataFolder = (name: string) => join(folder, name);
  // First, while this process is small: starting another one copies its page tables.
  const processes = await withGo('processes', ({ load }) =>
    processCosts(load, config, dataFolder('process')),
  );
  const puts = await withGo('puts', ({ load }) => durablePuts(load, config, dataFolder('put')));
  const reaping = await step('reaping', () => reapingCosts(dataFolder('reap')));
  const codec = await step('codec', async () => ({
    transfers: await codecTransfers(config, dataFolder('codec')),
    small: await smallPayloadCost(),
    memory: await codecMemory(config, dataFolder('codec-memory')),
  }));
  const s3 = await withGo('s3', ({ load }) => measureS3(load));
  const sidecar = await withGo('sidecar', ({ load }) => sidecarCosts(load));
  const peer = await withGo('peer', (programs) => peerCosts(programs, { baseline, cases }));
  const clients = await withGo('clients', ({ load }) => manyClients(load, dataFolder('clients')));
  const divided = baseline && !cases && (await withGo('peer', ({ load }) => profiles(load, baseline)));
  const beforeAfter =
    peer && baseline
      ? [machine(), beforeAfterTable(peer), ...(divided ? [profileTable(divided)] : [])].join('\n\n')
      : undefined;
  const tables = [
    machine(),
    peer && peerTable(peer),
    clients && manyClientsTable(clients),
    s3 && s3Table(s3.server, s3.transfers),
    s3 && s3RequestTable(s3.requests),
    puts && putTable(puts),
    codec && codecTable(codec.transfers),
    codec && codecCostTable(codec.small, codec.memory),
    (processes ?? reaping) && otherTable(processes, reaping),
  ]
    .filter((table) => typeof table === 'string')
    .join('\n\n');
  const idle = processes && [machine(), idleTable(processes.idle)].join('\n\n');
  const throughSidecar = sidecar && [machine(), sidecarTables(sidecar)].join('\n\n');
  const printed = [tables, throughSidecar, idle, beforeAfter].filter((part) => part !== undefined);
  process.stdout.write(`${printed.join('\n\n')}\n`);
  if (write && throughSidecar) writeSidecar(throughSidecar);
  if (write && processes && idle && peer) writePages({ tables, idle, processes, peer });
  if (write && peer && beforeAfter) writeBeforeAfter(beforeAfter, peer);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function partsOf(names: readonly string[]): ReadonlySet<Part> {
  const unknown = names.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`no part ${unknown}; there are ${PARTS.join(', ')}`);
  return new Set(names.length === 0 ? PARTS : (names as Part[]));
}

/** `undefined` when the part was not chosen. */
async function step<T>(part: Part, work: () => Promise<T>): Promise<T | undefined> {
  return chosen.has(part) ? await measured(part, work) : undefined;
}

/** A part that needs our programs in Go, and is left out without them. */
async function withGo<T>(part: Part, work: (programs: BenchPrograms) => Promise<T>): Promise<T | undefined> {
  if (programs !== undefined) return await step(part, () => work(programs));
  if (chosen.has(part)) process.stderr.write(`left out, because Go is missing: ${part}\n`);
  return undefined;
}

function machine(): string {
  return `Measured by \`make bench\` on ${machineFacts()}; load client on the same machine.`;
}
