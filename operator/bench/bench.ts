import { loadavg } from 'node:os';
import { writeFigures } from '@largepayload/testing/benchmarks/figures';
import { markdownTable } from '@largepayload/testing/benchmarks/markdown-table';
import { machineFacts, measured } from '@largepayload/testing/benchmarks/measuring';
import { startBed } from './bed.ts';
import { edits, type Idle, idle, percentile, type Start, start } from './measurements.ts';
import type { Row } from './row.ts';
import { withWebhook } from './webhook.ts';
import { withWorkers } from './workers.ts';

const FEW = 5;
const MANY = 1_000;
const IDLE_SECONDS = 60;

/**
 * What V8 chooses by itself in a container with the chart's memory limit of 256Mi. On a whole machine it would let the young
 * generation alone grow to 128 MiB before it clears up.
 */
const AS_IN_A_CONTAINER = ['--max-semi-space-size=1', '--max-old-space-size=256'];

const PARTS = { few: withFew, many: withMany, workers: withWorkers, webhook: withWebhook };

// --write measures everything and puts the table into docs/operator-performance.md. Otherwise names of parts and flags of Node may
// be given, such as `webhook --max-semi-space-size=16`.
const given = process.argv.slice(2);
const write = given.join() === '--write';
const flags = write ? [] : given.filter((each) => each.startsWith('-'));
const nodeFlags = flags.length > 0 ? flags : AS_IN_A_CONTAINER;
const unknown = given.find((each) => !each.startsWith('-') && !Object.hasOwn(PARTS, each));
if (unknown !== undefined)
  throw new Error(`there is no part "${unknown}"; there are ${Object.keys(PARTS).join(', ')}`);

const [loadBefore = 0] = loadavg();
const rows: Row[] = [];
for (const [name, measure] of Object.entries(PARTS)) {
  if (given.includes(name) || !given.some((each) => Object.hasOwn(PARTS, each)))
    rows.push(...(await measure(nodeFlags)));
}
const figures = `${machine()}\n\n${markdownTable(['operator', 'measured', 'goal'], rows)}`;
process.stdout.write(`${figures}\n`);
if (write) writeFigures('docs/operator-performance.md', 'bench-operator', figures);

async function withFew(nodeFlags: readonly string[]): Promise<Row[]> {
  await using bed = await measured(`API server with ${FEW} stores`, () => startBed(FEW, nodeFlags));
  const { operator } = await measured('start', () => start(bed));
  const calm = await measured('idle', () => idle(bed, operator, IDLE_SECONDS));
  const times = await measured('edits', () => edits(bed));
  await operator.stop();
  return [...idleRows(`${FEW} stores`, calm, 128), ...editRows(`${FEW} stores`, times)];
}

async function withMany(nodeFlags: readonly string[]): Promise<Row[]> {
  await using bed = await measured(`API server with ${MANY} stores`, () => startBed(MANY, nodeFlags));
  const cold = await measured('cold start', () => start(bed));
  const calm = await measured('idle', () => idle(bed, cold.operator, IDLE_SECONDS));
  const times = await measured('edits', () => edits(bed));
  await cold.operator.stop();
  const warm = await measured('restart', () => start(bed));
  await warm.operator.stop();
  await using pods = await measured('pods for all of them', () => bed.runPods());
  const withPods = await measured('start with pods', () => start(bed, 'ready'));
  const calmWithPods = await measured('idle', () => idle(bed, withPods.operator, IDLE_SECONDS));
  await withPods.operator.stop();
  const running = `${MANY} stores with ${pods.size} pods`;
  return [
    ...startRows(`${MANY} stores, cold start`, cold),
    ...startRows(`${MANY} stores, restart`, warm),
    ...idleRows(`${MANY} stores`, calm, 192),
    ...editRows(`${MANY} stores`, times),
    ...startRows(`${running}, start`, withPods, 'all are Ready'),
    ...idleRows(running, calmWithPods, 192),
  ];
}

function startRows(what: string, { seconds, peakMemory, ...costs }: Start, end = 'all is there'): Row[] {
  const { requestsPerStore, auditedPerStore, cpuSeconds, serverCpuSeconds } = costs;
  const processors = `${cpuSeconds.toFixed(1)} s (API server and etcd: ${serverCpuSeconds.toFixed(1)} s)`;
  return [
    [`${what}: until ${end}`, `${seconds.toFixed(1)} s`, '≤ 60 s'],
    [`${what}: CPU`, processors, ''],
    [`${what}: API requests a store`, both(requestsPerStore, auditedPerStore, 1), '≤ 20'],
    [`${what}: peak memory`, `${peakMemory.toFixed(0)} MiB`, '≤ 192 MiB'],
  ];
}

function idleRows(what: string, { memory, millicores, ...rates }: Idle, goal: number): Row[] {
  return [
    [`${what}, idle: memory`, `${memory.toFixed(0)} MiB`, `≤ ${goal} MiB`],
    [`${what}, idle: CPU`, `${millicores.toFixed(1)} millicores`, '≤ 5'],
    [`${what}, idle: API requests a second`, both(rates.requestsPerSecond, rates.auditedPerSecond, 2), '≤ 1'],
  ];
}

function editRows(what: string, times: readonly number[]): Row[] {
  const at = (share: number) => `${percentile(times, share).toFixed(0)} ms`;
  return [[`${what}: edit to changed Deployment, p50, p95`, `${at(0.5)}, ${at(0.95)}`, '≤ 300 ms']];
}

/** Two counts of the same: the operator's own and the API server's. */
function both(own: number, audited: number, digits: number): string {
  return `${own.toFixed(digits)} (audit log: ${audited.toFixed(digits)})`;
}

function machine(): string {
  return `Measured by \`make bench-operator\` on ${machineFacts()} ${nodeFlags.join(' ')}; API server, etcd and the client that edits run on the same machine, whose load was ${loadBefore.toFixed(1)} before.`;
}
