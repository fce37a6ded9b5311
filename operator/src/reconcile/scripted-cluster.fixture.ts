import type { ServerResponse } from 'node:http';
import { listAt, textAt } from '@largepayload/crds';
import { pino } from 'pino';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { HttpApi } from '../kubernetes/http-api.ts';
import { type Asked, answer, line, refuse, scriptedServer } from '../kubernetes/scripted-server.fixture.ts';
import { COMPONENT_LABEL, STORE_LABEL } from '../stores/labels.ts';
import { runController } from './running-controller.fixture.ts';

export interface ScriptedCluster extends AsyncDisposable {
  /** The latest Ready that was written of a store, such as `False Creating`. */
  ready(name: string): string | undefined;
  /** paths of what was written, in that order */
  readonly written: readonly string[];
  /** why stores could not be reconciled */
  readonly failures: readonly string[];
  /** Has the informers see it. */
  change(resource: string, object: KubernetesObject): void;
  /** Resolves once what was under way has ended. */
  stop(): Promise<void>;
}

type Refusing = (asked: Asked) => number | undefined;

/** A controller at work on an API server that takes everything, but what `refusing` answers with a status, and shows nothing of it. */
export async function scriptedCluster(
  objects: Readonly<Record<string, readonly KubernetesObject[]>>,
  refusing: Refusing = () => undefined,
): Promise<ScriptedCluster> {
  const watches = new Map<string, ServerResponse>();
  const written: string[] = [];
  const failures: string[] = [];
  const log = pino({ level: 'warn' }, { write: (text) => failures.push(JSON.parse(text).err?.message) });
  const ready = new Map<string, string>();
  const write = ({ path, body }: Asked, response: ServerResponse) => {
    const object = JSON.parse(body);
    written.push(path);
    const condition = listAt(object.status, 'conditions').find(({ type }) => type === 'Ready');
    if (condition !== undefined)
      ready.set(object.metadata.name, `${textAt(condition, 'status')} ${textAt(condition, 'reason')}`);
    answer(response, 200, { ...object, metadata: { ...object.metadata, resourceVersion: '2' } });
  };
  const server = await scriptedServer((asked, response) => {
    const plural = asked.path.split('/').at(-1) ?? '';
    const code = refusing(asked);
    if (code !== undefined) return refuse(response, code, 'InternalError');
    if (asked.method !== 'GET') return write(asked, response);
    if (asked.path.includes('/namespaces/')) return refuse(response, 404, 'NotFound');
    if (!asked.query.has('watch'))
      return answer(response, 200, { metadata: { resourceVersion: '1' }, items: objects[plural] ?? [] });
    watches.set(plural, response);
    return response.write('\n');
  });
  const api = new HttpApi(server.access, { userAgent: 'test' });
  const stop = runController(api, log, (failure) => failures.push(failure.message));
  return {
    ready: (name) => ready.get(name),
    ...{ written, failures },
    change: (resource, object) => watches.get(resource)?.write(line('MODIFIED', object)),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A pod whose container runs, of a store in the namespace `shop`. */
export function runningPod(name: string, store: string, podIP: string, isReady: boolean): KubernetesObject {
  const labels = { [STORE_LABEL]: store, [COMPONENT_LABEL]: 'gateway' };
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: store, uid: store, controller: true },
  ];
  const running = { state: { running: { startedAt: '2026-01-01T00:00:00Z' } }, restartCount: 0 };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ namespace: 'shop', name, uid: name, resourceVersion: '1', labels, ownerReferences },
    },
    status: {
      ...{ phase: 'Running', podIP, conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
      containerStatuses: [{ name: 'payload-store', ...running }],
    },
  };
}

export function storeOf(name: string): KubernetesObject {
  return {
    ...{ apiVersion: 'largepayload.dev/v1alpha1', kind: 'LargePayloadStore' },
    metadata: { namespace: 'shop', name, uid: name, resourceVersion: '1', generation: 1 },
    spec: {
      storage: { s3: { bucket: 'payloads', prefix: '', forcePathStyle: false } },
      ...{ retention: { ttl: '30d', reaperInterval: '1h' }, gateway: {} },
      ...{ thresholdSize: 128_000, maxPayloadSize: '1Gi' },
    },
  };
}
