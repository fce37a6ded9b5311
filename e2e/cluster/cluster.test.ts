import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterEach, describe, expect, test } from 'vitest';
import { rounds } from '../rounds.fixture.ts';
import { chosenProvider, clusterDown, clusterUp, findCluster } from './clusters.ts';
import { Footprint, machineState } from './footprint.ts';
import { answerThroughService } from './pods.fixture.ts';

const NAME = 'self-test';
const OTHER = 'self-test-two';
const provider = await chosenProvider();
const isLocal = provider.name === 'local';
/** Twenty rounds when E2E_ROUNDS asks for more than one. */
const clusterRounds = Array.from({ length: rounds.length > 1 ? 20 : 1 }, (_, index) => index + 1);

const say = (line: string) => console.log(`  ${(performance.now() / 1_000).toFixed(1)} s ${line}`);

afterEach(async () => {
  await clusterDown(NAME);
  await clusterDown(OTHER);
}, 60_000);

test.for(clusterRounds)(
  'a cluster starts, runs pods that find each other, and is removed, round %i',
  async (round) => {
    const before = machineState();
    const started = performance.now();
    const cluster = await clusterUp({ name: NAME, say });
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    console.log(`cluster round ${round}: ${provider.name} up in ${seconds} s`);

    expect(await answerThroughService(cluster)).toContain('hello from web');
    const footprint = isLocal ? new Footprint(NAME, before) : undefined;
    if (footprint) expect(footprint.processes.length).toBeGreaterThan(10);
    await clusterDown(NAME, say);
    expect(await findCluster(NAME)).toBeUndefined();
    expect(footprint?.remains() ?? []).toEqual([]);
  },
);

test('a second up uses the running cluster, and a second down does nothing', async () => {
  await clusterUp({ name: NAME });
  const lines: string[] = [];
  await clusterUp({ name: NAME, say: (line) => lines.push(line) });
  expect(lines).toEqual([`cluster ${NAME} (${provider.name}) is up already`]);
  await clusterDown(NAME);
  await clusterDown(NAME);
});

describe.runIf(isLocal)('processes of this machine', () => {
  test.for(['starting etcd', 'starting controllers', 'is up'])(
    'down leaves nothing and up works again when up is killed at "%s"',
    async (moment) => {
      await killWhenSaid(moment);
      const footprint = new Footprint(NAME);
      expect(footprint.processes.length).toBeGreaterThan(2);
      await clusterDown(NAME);
      expect(footprint.remains()).toEqual([]);
      await clusterUp({ name: NAME });
    },
  );

  test('a cluster whose node was killed is replaced', async () => {
    await clusterUp({ name: NAME });
    const footprint = new Footprint(NAME);
    for (const { pid, command } of footprint.processes) {
      if (command.startsWith('unshare')) process.kill(pid, 'SIGKILL');
    }
    const lines: string[] = [];
    await clusterUp({ name: NAME, say: (line) => lines.push(line) });
    expect(lines[0]).toContain('not ready: replacing it');
    await clusterDown(NAME);
    expect(footprint.remains()).toEqual([]);
  });

  test('two clusters live side by side, their API server restarts, and pods reach servers of the tests', async () => {
    const [one, two] = await Promise.all([
      clusterUp({ name: NAME, nodes: 2 }),
      clusterUp({ name: OTHER, nodes: 1 }),
    ]);
    expect([one.nodeNames, two.nodeNames]).toEqual([['node0', 'node1'], ['node0']]);
    expect(await answerThroughService(one, 'node1')).toContain('hello from web');
    await one.restartApiServer(1_000);
    expect(await one.kubectl('get', 'pod', 'web', '--output', 'name')).toBe('pod/web\n');

    // The server runs in the first node's network, and ends with the cluster.
    const footprint = new Footprint(NAME);
    const { command, args } = one.command(process.execPath, [
      '--eval',
      `require('net').createServer((socket) => socket.end('outside')).listen(7777, '${one.hostAddress}')`,
    ]);
    const server = spawn(command, args, { env: one.environment, stdio: 'ignore' });
    const reach = () => one.kubectl('exec', 'web', '--', 'nc', '-w', '5', `${one.hostAddress}`, '7777');
    expect(await eventualValue(() => reach().catch(() => undefined))).toBe('outside');
    await clusterDown(NAME);
    await eventualValue(() => (server.exitCode ?? server.signalCode) || undefined, 1_000);
    expect(footprint.remains()).toEqual([]);
    expect((await findCluster(OTHER))?.nodeNames).toEqual(['node0']);
  });

  test('the command prints how to use the cluster, and runs commands in it', async () => {
    const { stdout, status } = command('up');
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('export KUBECONFIG='),
    });
    const got = command('exec', '--', 'kubectl', 'get', 'nodes', '--output', 'name');
    expect(got).toMatchObject({ status: 0, stdout: 'node/node0\n' });
    expect(command('exec', '--', 'sh', '-c', 'exit 7').status).toBe(7);
    expect(command('status').status).toBe(0);
    expect(command('down').status).toBe(0);
    expect(command('status').status).toBe(1);
  });
});

function commandArgs(...args: string[]): string[] {
  const file = join(import.meta.dirname, 'cluster.ts');
  const [name = '', ...rest] = args;
  return ['--conditions=largepayload-source', file, name, '--name', NAME, ...rest];
}

function command(...args: string[]) {
  return spawnSync(process.execPath, commandArgs(...args), { encoding: 'utf8' });
}

/** Starts the command that makes a cluster, and kills it when it writes this text. The text may be that of its last line. */
async function killWhenSaid(text: string): Promise<void> {
  const child = spawn(process.execPath, commandArgs('up'), { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes(text)) child.kill('SIGKILL');
  });
  expect(await exited).toEqual([null, 'SIGKILL']);
}
