import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TransferWatch } from './transfer-watch.ts';

test('an expired transfer is told once, and counts until its owner ends it', async () => {
  const watch = new TransferWatch({ progressPeriod: 1, progressBytes: 1 });
  const reasons: string[] = [];
  const transfer = watch.begin((reason) => reasons.push(reason));
  transfer.wait();
  await sleep(1_300);
  expect(reasons).toEqual(['slow']);
  expect(watch.size).toBe(1);
  transfer.end();
  expect(watch.size).toBe(0);
});
