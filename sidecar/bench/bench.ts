import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type CodecMemory, codecMemory } from './codec-memory-costs.ts';
import { type CodecRow, codecTransfers, smallPayloadCost } from './codec-transfers.ts';
import { durablePuts, filesystemGets } from './filesystem-transfers.ts';
import { markdownTable, percent } from './markdown-table.ts';
import { memoryTransfers, type TransferRow } from './memory-transfers.ts';
import { type ProcessCosts, processCosts } from './process-costs.ts';
import { type ReapingCosts, reapingCosts } from './reaping.ts';
import { manifest } from './servers.ts';

const README = join(import.meta.dirname, '../../README.md');
const MARKS = ['<!-- bench: begin -->', '<!-- bench: end -->'] as const;

const folder = mkdtempSync(join(tmpdir(), 'payload-store-bench-'));
try {
  const config = join(folder, 'store.yaml');
  writeFileSync(config, manifest('{ttl: Forever}'));
  const dataFolder = (name: string) => join(folder, name);
  // First, while this process is small: starting another one copies its page tables.
  const costs = await step('start and memory', () => processCosts(config, dataFolder('process')));
  const transfers = [
    ...(await step('memory driver', memoryTransfers)),
    ...(await step('filesystem GET', () => filesystemGets(config, dataFolder('get')))),
  ];
  const puts = await step('durable PUTs', () => durablePuts(config, dataFolder('put')));
  const reaping = await step('reaping', () => reapingCosts(dataFolder('reap')));
  const codec = await step('codec', async () => ({
    transfers: await codecTransfers(config, dataFolder('codec')),
    small: await smallPayloadCost(),
    memory: await codecMemory(config, dataFolder('codec-memory')),
  }));
  const text = [
    machine(),
    codecTable(codec.transfers),
    codecCostTable(codec.small, codec.memory),
    transferTable(transfers),
    putTable(puts),
    otherTable(costs, reaping),
  ].join('\n\n');
  process.stdout.write(`${text}\n`);
  if (process.argv.includes('--write')) writeIntoReadme(text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`measuring: ${name} …`);
  const started = performance.now();
  const result = await work();
  process.stderr.write(` ${((performance.now() - started) / 1_000).toFixed(0)} s\n`);
  return result;
}

function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `Measured by \`make bench\` on ${cpus().length} cores (${first?.model.trim()}), ${memory} GiB, Node ${process.versions.node}; load generator on the same machine.`;
}

function codecTable(rows: readonly CodecRow[]): string {
  return markdownTable(
    ['codec, 64 payloads of 1 MiB', 'one call ms', 'one after another ms', 'times as fast', 'goal'],
    rows.map(({ what, goal, together, oneByOne, ratio }) => [
      what,
      together.toFixed(0),
      oneByOne.toFixed(0),
      ratio.toFixed(1),
      `≥ ${goal}`,
    ]),
  );
}

function codecCostTable(small: number, memory: readonly CodecMemory[]): string {
  return markdownTable(
    ['codec, otherwise', 'measured', 'goal'],
    [
      ['1,000 payloads under the threshold, encode and decode', `${small.toFixed(1)} ms`, '≤ 5 ms'],
      ...memory.map(({ what, beyondPayloads }) => [
        `peak memory beside the payloads, encoding ${what}`,
        `${beyondPayloads.toFixed(0)} MiB`,
        '≤ 16 MiB',
      ]),
    ],
  );
}

function transferTable(rows: readonly TransferRow[]): string {
  return markdownTable(
    ['4 clients', 'ours MiB/s', 'bound MiB/s', 'ratio', 'goal', 'ours CPU s/GiB', 'bound CPU s/GiB'],
    rows.map(({ what, goal, comparison: { ours, bound, ratio } }) => [
      what,
      ours.throughput.toFixed(0),
      bound.throughput.toFixed(0),
      percent(ratio),
      `≥ ${percent(goal)}`,
      ours.cpuPerGibibyte.toFixed(2),
      bound.cpuPerGibibyte.toFixed(2),
    ]),
  );
}

function putTable(rows: Awaited<ReturnType<typeof durablePuts>>): string {
  return markdownTable(
    ['durable PUTs of 128 KiB', 'ours PUT/s', 'write + fdatasync + link /s', 'ratio', 'our median'],
    rows.map(({ clients, ours, bound, ratio, medianLatency }) => [
      `${clients} client${clients === 1 ? '' : 's'}`,
      ours.toFixed(0),
      bound.toFixed(0),
      percent(ratio),
      `${medianLatency.toFixed(1)} ms`,
    ]),
  );
}

function otherTable(costs: ProcessCosts, reaping: ReapingCosts): string {
  return markdownTable(
    ['otherwise', 'measured', 'goal'],
    [
      ['start to listening', `${costs.startTime.toFixed(0)} ms`, '≤ 200 ms'],
      ['memory idle', `${costs.idleMemory.toFixed(0)} MiB`, '≤ 80 MiB'],
      ['peak memory, 1 GiB in and out', `${costs.peakMemory.toFixed(0)} MiB`, '≤ 192 MiB'],
      [
        'reaping 1,000 of 100,000, beside reaping all',
        `${reaping.some.toFixed(2)} s : ${reaping.all.toFixed(1)} s = 1/${(reaping.all / reaping.some).toFixed(0)}`,
        '≤ 1/20',
      ],
    ],
  );
}

function writeIntoReadme(text: string): void {
  const readme = readFileSync(README, 'utf8');
  const [begin, end] = MARKS;
  const [head, tail] = [readme.indexOf(begin), readme.indexOf(end)];
  if (head < 0 || tail < head) throw new Error(`README.md has no ${begin} and ${end}`);
  writeFileSync(README, `${readme.slice(0, head + begin.length)}\n${text}\n${readme.slice(tail)}`);
}
