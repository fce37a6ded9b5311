import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServerProcess } from '../processes/server-process.ts';
import { type BenchPrograms, benchPrograms } from './go-programs.ts';
import { type LoadOrder, runLoad, runLoadWithRefusals, storedKeys } from './load-client.ts';

const programs = (await unlessMissing(benchPrograms)) as BenchPrograms;
const GO_TOOLS_MS = 120_000;

describe.skipIf(programs === undefined)('the programs in Go', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-programs-'));
  const keys = join(folder, 'keys.json');
  const order = { clients: 4, size: 200_000, seed: 'one', keys, count: 20 };
  let peer: ServerProcess;

  beforeAll(async () => {
    peer = await ServerProcess.startProgram(programs.peer, ['-driver', 'memory']);
  });
  afterAll(async () => {
    await peer.stop();
    rmSync(folder, { recursive: true });
  });
  const load = (verb: LoadOrder['verb'], changes: Partial<LoadOrder> = {}) =>
    runLoadWithRefusals(programs.load, peer.port, { verb, ...order, ...changes });

  test('pass the checks and tests of Go', { timeout: GO_TOOLS_MS }, async () => {
    const go = promisify(execFile);
    const options = { cwd: join(import.meta.dirname, '../go'), env: { ...process.env, GOWORK: 'off' } };
    await go('go', ['vet', './...'], options);
    await go('go', ['test', './...'], options);
  });

  test('move payloads by our wire protocol, and tell what was moved', async () => {
    const put = await load('put');
    expect(put).toMatchObject({ bytes: 20 * 200_000, statuses: { 201: 20 } });
    expect(new Set(storedKeys(keys)).size).toBe(20);
    expect(await load('put')).toMatchObject({ statuses: { 200: 20 } });
    expect(await load('get', { count: 0, once: true })).toMatchObject({ statuses: { 200: 20 } });
    expect(await load('get', { count: 50 })).toMatchObject({ statuses: { 200: 50 } });
  });

  test('fail when other bytes come back than were put', async () => {
    await load('put');
    await expect(load('get', { seed: 'another' })).rejects.toThrow('came back altered');
  });

  test('count an answer that is no success, and fail where only successes are expected', async () => {
    const unknown = join(folder, 'unknown.json');
    await load('put', { keys: unknown });
    const other = await ServerProcess.startProgram(programs.peer, ['-driver', 'memory']);
    try {
      const get = { verb: 'get', ...order, keys: unknown } as const;
      const report = await runLoadWithRefusals(programs.load, other.port, get);
      expect(report).toMatchObject({ bytes: 0, statuses: { 404: 20 } });
      await expect(runLoad(programs.load, other.port, get)).rejects.toThrow('{"404":20}');
    } finally {
      await other.stop();
    }
  });
});
