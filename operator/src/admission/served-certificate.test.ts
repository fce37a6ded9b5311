import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { KubernetesApi } from '../kubernetes/api.ts';
import { ServedCertificate } from './served-certificate.ts';

async function whileRunning(get: KubernetesApi['get'], look: (served: ServedCertificate) => Promise<void>) {
  const ending = new AbortController();
  const served = new ServedCertificate({
    api: { get },
    namespace: 'system',
    server: { setSecureContext: () => {} },
    log: pino({ level: 'silent' }),
    waitForLeaderMs: 0,
  });
  const running = served.run(ending.signal);
  await look(served).finally(() => ending.abort());
  await running;
}

test.concurrent('a replica without a Secret becomes ready after a while, so that a rollout ends a leader that makes none', async () => {
  await whileRunning(
    async () => undefined,
    async (served) => {
      expect(served.missing).toContain('still being read');
      await eventually('it is ready', () => served.missing === undefined);
    },
  );
});

test.concurrent('a replica that cannot read the Secret does not become ready', async () => {
  await whileRunning(
    async () => {
      throw new Error('secrets is forbidden');
    },
    async (served) => {
      await eventually('the cause is known', () => served.missing?.includes('is forbidden') === true);
    },
  );
});
