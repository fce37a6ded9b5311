import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { onTestFinished } from 'vitest';
import type { RunningPod } from './poll-pod.ts';

export const NEVER = new AbortController().signal;
export const READY = {
  store: { namespace: 'shop', name: 'orders' },
  ...{ version: '0.1.0', ready: true, reaper: null },
};
export const NOT_READY = {
  ...READY,
  ready: false,
  error: { code: 'storage_denied', message: 'access denied for ListBucket' },
};

/** A pod on an address of loopback that no other test uses; with `answer` it listens. */
export async function podAt(ip: string, answer?: RequestListener): Promise<RunningPod> {
  if (answer !== undefined) {
    const server = createServer(answer).listen(8578, ip);
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  return {
    ...{ namespace: 'shop', name: ip, uid: ip, store: 'orders', component: 'gateway', node: 'node0', ip },
    ...{ phase: 'Running', deleting: false, ready: false, restarts: 0, image: 'x', configHash: 'c' },
    ...{ templateHash: 't', createdAt: 0, runningSince: 0, scheduled: undefined, waiting: undefined },
    ended: undefined,
  };
}

export const json =
  (body: () => object): RequestListener =>
  (_request, response) =>
    response.end(JSON.stringify(body()));
