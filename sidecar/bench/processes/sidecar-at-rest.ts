import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runLoad } from '../load/load-client.ts';
import { ServerProcess } from './server-process.ts';
import { PROGRAM } from './servers.ts';

const GIB = 1024 ** 3;
/** A process gives back what its start left behind after 5 s (sidecar/src/runtime-settings.ts). */
const SETTLED_MS = 10_000;
const REST_MS = 20_000;
const ANY_PORTS = ['--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0'];

export interface SidecarAtRest {
  /** of the main thread, a second */
  readonly wakeups: number;
  /** thousandths of a core, of all threads */
  readonly millicores: number;
  /** MiB more than at rest, at most, while 1 GiB went to the gateway and came back */
  readonly growth: number;
}

/**
 * What a sidecar takes that does nothing, and how much more memory while 1 GiB passes.
 * @param load the load client
 * @param keys a file that does not exist
 */
export async function sidecarAtRest(
  load: string,
  gateway: ServerProcess,
  keys: string,
): Promise<SidecarAtRest> {
  const url = `http://127.0.0.1:${gateway.port}`;
  const sidecar = await ServerProcess.start(PROGRAM, 'sidecar', '--gateway-url', url, ...ANY_PORTS);
  try {
    await sleep(SETTLED_MS);
    const [wakeups, busyMs, memory] = [wakeupsOf(sidecar), busyMsOf(sidecar), sidecar.memory('VmRSS')];
    await sleep(REST_MS);
    const atRest = {
      wakeups: (wakeupsOf(sidecar) - wakeups) / (REST_MS / 1_000),
      millicores: ((busyMsOf(sidecar) - busyMs) / REST_MS) * 1_000,
    };
    const order = { clients: 1, size: GIB, seed: randomBytes(8).toString('hex'), keys, count: 1 };
    await runLoad(load, sidecar.port, { verb: 'put', ...order });
    await runLoad(load, sidecar.port, { verb: 'get', ...order });
    return { ...atRest, growth: sidecar.memory('VmHWM') - memory };
  } finally {
    await sidecar.stop();
  }
}

function wakeupsOf({ pid }: ServerProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
}

function busyMsOf({ pid }: ServerProcess): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}
