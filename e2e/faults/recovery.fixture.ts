import { setTimeout as sleep } from 'node:timers/promises';
import { BlobClient, digestOf, metadataFromRecord } from '@largepayload/codec';
import type { RunningService } from '@largepayload/testing/service/service-process';
import { bytesOf } from './content.fixture.ts';

const LIMIT = 60_000;
/** An id that the load does not reach. */
let lastId = 1_000_000_000;

export interface Recovery {
  readonly seconds: number;
  /** PUTs and GETs that the check took */
  readonly requests: number;
}

/** Waits until `/readyz` is ok and a payload can be stored and read without retries in the client. @throws Error after a minute */
export async function untilRecovered(service: RunningService): Promise<Recovery> {
  const client = new BlobClient({ url: service.url });
  const started = performance.now();
  let requests = 0;
  try {
    for (;;) {
      try {
        requests += 2;
        await storeAndRead(client);
        await assertReady(service);
        return { seconds: (performance.now() - started) / 1_000, requests };
      } catch (cause) {
        if (performance.now() - started > LIMIT) throw new Error('it does not recover', { cause });
        await sleep(50);
      }
    }
  } finally {
    client.close();
  }
}

async function storeAndRead(client: BlobClient): Promise<void> {
  lastId += 1;
  const body = bytesOf({ id: lastId, size: 200_000 });
  const facts = { digest: digestOf(body), size: body.length };
  const { key } = await client.put({ namespace: 'faults', metadata: metadataFromRecord({}), body, ...facts });
  await client.get({ key, ...facts });
}

async function assertReady(service: RunningService): Promise<void> {
  const answer = await fetch(readyUrl(service));
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
}

export function readyUrl({ metricsUrl }: RunningService): URL {
  return new URL('/readyz', metricsUrl);
}
