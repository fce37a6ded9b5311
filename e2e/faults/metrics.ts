import { readFileSync } from 'node:fs';
import type { RunningService } from '../testing/running-service.ts';

/** What `/metrics` tells now, summed over labels. */
export async function metricSum({ metricsUrl }: RunningService, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** PUTs and GETs that the service has answered, failures included. */
export async function requestsAnswered(service: RunningService): Promise<number> {
  return (
    (await metricSum(service, 'payload_store_put_total')) +
    (await metricSum(service, 'payload_store_get_total'))
  );
}

/** Bytes of memory that the service has held at most since it started. */
export function peakMemory({ program }: RunningService): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
