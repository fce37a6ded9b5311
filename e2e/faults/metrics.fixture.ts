import { readFileSync } from 'node:fs';
import type { RunningService } from '@largepayload/testing/service/service-process';

/** PUTs and GETs that the service has answered, failures included. */
export async function requestsAnswered(service: RunningService): Promise<number> {
  return (await service.sum('payload_store_put_total')) + (await service.sum('payload_store_get_total'));
}

/** The most memory that the service has held since its start, bytes. */
export function peakMemory({ program }: RunningService): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
