import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { getsOf, keysOf, payloadSet, putsOf, runLoad } from './load.ts';
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

export async function processCosts(config: string, folder: string): Promise<ProcessCosts> {
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
    const puts = putsOf(payloadSet(GIB, 1, randomBytes(8).toString('hex')));
    const stored = await runLoad(service.port, 1, puts);
    await runLoad(service.port, 1, getsOf(keysOf(stored), GIB));
    return { startTime: median(startTimes), idleMemory, peakMemory: service.memory('VmHWM') };
  } finally {
    await service.stop();
  }
}
