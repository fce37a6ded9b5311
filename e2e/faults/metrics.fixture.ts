import { memoryOf } from '@largepayload/testing/processes/process-facts';
import type { RunningService } from '@largepayload/testing/service/service-process';

/** PUTs and GETs that the service has answered, failures included. */
export async function requestsAnswered(service: RunningService): Promise<number> {
  return (await service.sum('payload_store_put_total')) + (await service.sum('payload_store_get_total'));
}

/** The most memory that the service has held since its start, bytes. */
export function peakMemory({ program }: RunningService): number {
  return memoryOf(program.pid, 'VmHWM') * 1024 ** 2;
}
