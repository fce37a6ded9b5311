import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { runLoad } from '../load/load-client.ts';
import { ServerProcess } from './server-process.ts';
import { serveArguments } from './servers.ts';

const GIB = 1024 ** 3;
const STARTS = 7;
const SETTLED = 3_000;

export interface ProcessCosts {
  /** ms from spawn to the listening line, median */
  readonly startTime: number;
  /** MiB after some seconds without requests */
  readonly idleMemory: number;
  /** MiB at most while 1 GiB went in and out */
  readonly peakMemory: number;
}

/** @param load the load client */
export async function processCosts(load: string, config: string, folder: string): Promise<ProcessCosts> {
  const startTimes: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const service = await ServerProcess.start(...serveArguments(config, folder));
    startTimes.push(service.startTime);
    await service.stop();
  }
  const service = await ServerProcess.start(...serveArguments(config, folder));
  try {
    await sleep(SETTLED);
    const idleMemory = service.memory('VmRSS');
    const keys = join(folder, 'keys.json');
    const order = { clients: 1, size: GIB, seed: randomBytes(8).toString('hex'), keys, count: 1 };
    await runLoad(load, service.port, { verb: 'put', ...order });
    await runLoad(load, service.port, { verb: 'get', ...order });
    return { startTime: median(startTimes), idleMemory, peakMemory: service.memory('VmHWM') };
  } finally {
    await service.stop();
  }
}
