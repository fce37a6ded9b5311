import { expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { storedPayloads, takeOver } from './reaped.fixture.ts';

const cluster = await suiteCluster();
/** ms: the TTL, and as long again for late clocks and the width of a window */
const LIMIT = 600_000;

test.skipIf(cluster.registryImage !== undefined)(
  'the reaper removes the payloads of the workflows that completed',
  {
    timeout: LIMIT + 60_000,
  },
  async () => {
    await using bed = await StoreBed.of(takeOver());
    const began = performance.now();
    await slowly(async () => (await storedPayloads(bed)) === 0 || undefined, LIMIT);
    const { status } = await bed.json<{ status: { retention?: { lastCompletedTime?: string } } }>(
      'get',
      'lps',
      'documents',
    );
    expect(status.retention?.lastCompletedTime).toBeDefined();
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    show(
      'the whole: afterwards',
      `the reaper has removed all payloads; ${seconds} s of waiting were left at the end`,
    );
  },
);
