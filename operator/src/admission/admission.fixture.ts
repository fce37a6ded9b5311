import { Agent, type RequestOptions, request } from 'node:https';
import type { Socket } from 'node:net';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import type { KubernetesApi, KubernetesObject } from '../kubernetes/api.ts';
import { Metrics } from '../operations/metrics.ts';
import type { Admission } from './admission.ts';
import { serveWebhook } from './webhook-server.ts';

export const AUTHORITY = testAuthority('webhooks');
export const SETTINGS = {
  ...{ image: 'payload-store:test', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
  ...{ runAsUser: 65_532, version: '0.0.0' },
};

const LABEL = 'largepayload.dev/inject';
export const podOf = (inject?: string, spec: object = {}) => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name: 'worker', labels: inject === undefined ? {} : { [LABEL]: inject } },
  spec: { containers: [{ name: 'worker', image: 'worker' }], ...spec },
});

export const reviewOf = (object: object, more: object = {}) => ({
  ...{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
  request: {
    ...{ uid: '705ab4f5-6393-11e8-b7cc-42010a800002', operation: 'CREATE', namespace: 'billing', object },
    resource: { group: '', version: 'v1', resource: 'pods' },
    ...more,
  },
});

export const secretOf = ({ certificate, key }: { certificate: string; key: string }): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'largepayload-webhook-tls' } },
  data: Object.fromEntries(
    Object.entries({ 'tls.crt': certificate, 'tls.key': key }).map(([name, text]) => [
      name,
      Buffer.from(text).toString('base64'),
    ]),
  ),
});

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly socket: Socket;
}

/** A webhook on loopback that decides as a test says. @param secret `undefined`: there is none */
export async function webhookBed(
  admit: Admission['admit'] = async () => ({ result: 'unchanged', patch: [], warnings: [] }),
  secret: () => KubernetesObject | undefined = () => secretOf(AUTHORITY.issue()),
) {
  const metrics = new Metrics();
  const lines: string[] = [];
  const webhook = await serveWebhook({
    api: { get: async () => secret() } as Partial<KubernetesApi> as KubernetesApi,
    ...{ admission: { admit }, namespace: 'operators', metrics },
    listen: { host: '127.0.0.1', port: 0 },
    log: pino({}, { write: (line) => lines.push(JSON.parse(line).msg) }),
  });
  const end = new AbortController();
  const running = webhook.run(end.signal, { lameDuckMs: 0, limitMs: 1_000 });
  const agent = new Agent({ keepAlive: true, ca: AUTHORITY.certificate });
  const ask = (body: string | Buffer, options: RequestOptions = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const how = { agent, method: 'POST', headers, port: webhook.port, host: '127.0.0.1', path: '/inject' };
      const outgoing = request({ ...how, ...options }, async (answer) => {
        const text = (await answer.toArray()).join('');
        resolve({ status: answer.statusCode ?? 0, text, socket: answer.socket });
      });
      outgoing.on('error', reject).end(body);
    });
  const stop = async () => {
    end.abort();
    await running;
  };
  return {
    ...{ webhook, metrics, lines, agent, ask, end: stop },
    ready: () => eventually('the webhook is ready', () => webhook.missing === undefined),
    review: async (object: object) => {
      const { status, text } = await ask(JSON.stringify(object));
      return { status, answer: status === 200 ? JSON.parse(text) : text };
    },
    async [Symbol.asyncDispose]() {
      await stop();
      agent.destroy();
    },
  };
}
