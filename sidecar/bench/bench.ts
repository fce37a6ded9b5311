// node sidecar/bench/bench.ts [PART…] measures these parts, or all; --write puts tables and pictures into docs/.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineFacts, measured } from '@largepayload/testing/benchmarks/measuring';
import { codecMemory } from './codec-memory-costs.ts';
import { codecTransfers, smallPayloadCost } from './codec-transfers.ts';
import { durablePuts, filesystemGets } from './filesystem-transfers.ts';
import { memoryTransfers } from './memory-transfers.ts';
import { writePage } from './performance-page.ts';
import { idleTable, processCosts } from './process-costs.ts';
import { reapingCosts } from './reaping.ts';
import { measureS3 } from './s3-costs.ts';
import { s3RequestTable, s3Table } from './s3-tables.ts';
import { manifest } from './servers.ts';
import { codecCostTable, codecTable, otherTable, putTable, transferTable } from './tables.ts';

const PARTS = ['processes', 'memory', 'filesystem', 'puts', 'reaping', 'codec', 's3'] as const;
type Part = (typeof PARTS)[number];

const write = process.argv.includes('--write');
const chosen = partsOf(process.argv.slice(2).filter((argument) => argument !== '--write'));
if (write && chosen.size < PARTS.length) throw new Error('--write needs all parts; name none');

const folder = mkdtempSync(join(tmpdir(), 'payload-store-bench-'));
try {
  const config = join(folder, 'store.yaml');
  writeFileSync(config, manifest('{ttl: Forever}'));
  const dataFolder = (name: string) => join(folder, name);
  // First, while this process is small: starting another one copies its page tables.
  const costs = await step('processes', () => processCosts(config, dataFolder('process')));
  const memory = await step('memory', memoryTransfers);
  const filesystem = await step('filesystem', () => filesystemGets(config, dataFolder('get')));
  const puts = await step('puts', () => durablePuts(config, dataFolder('put')));
  const reaping = await step('reaping', () => reapingCosts(dataFolder('reap')));
  const codec = await step('codec', async () => ({
    transfers: await codecTransfers(config, dataFolder('codec')),
    small: await smallPayloadCost(),
    memory: await codecMemory(config, dataFolder('codec-memory')),
  }));
  const s3 = await step('s3', measureS3);
  const transfers = [...(memory ?? []), ...(filesystem ?? [])];
  const tables = [
    machine(),
    codec && codecTable(codec.transfers),
    codec && codecCostTable(codec.small, codec.memory),
    transfers.length > 0 && transferTable(transfers),
    puts && putTable(puts),
    s3 && s3Table(s3.server, s3.transfers),
    s3 && s3RequestTable(s3.requests),
    (costs ?? reaping) && otherTable(costs, reaping),
    costs && idleTable(costs.idle),
  ]
    .filter((table) => typeof table === 'string')
    .join('\n\n');
  process.stdout.write(`${tables}\n`);
  if (write && costs !== undefined && s3 !== undefined)
    writePage({ tables, processes: costs, transfers, s3 });
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

function machine(): string {
  return `Measured by \`make bench\` on ${machineFacts()}; load generator on the same machine.`;
}
