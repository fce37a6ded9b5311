import { listAt, textAt } from '@largepayload/crds';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import type { ApiError, KubernetesApi, KubernetesObject, ResourceKind } from '../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER } from '../kubernetes/api-server.fixture.ts';
import { LARGE_PAYLOAD_STORES } from '../kubernetes/resources.ts';
import { runController } from './running-controller.fixture.ts';

/**
 * A controller at work on an API server, for the tests of one file. There are no other controllers and no nodes: only what the
 * operator makes and says by itself can be seen.
 */
export function controllerBed() {
  const bed = apiBed();
  let api: KubernetesApi;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    api = bed.api();
    await applyCrd(api);
    stop = runController(bed.api(), pino({ level: 'silent' }));
  });
  afterAll(() => stop());

  const get = (resource: ResourceKind, namespace: string, name: string) =>
    api.get({ resource, namespace, name }, NEVER);
  const create = (resource: ResourceKind, object: KubernetesObject) => api.create(resource, object, NEVER);
  const remove = (resource: ResourceKind, namespace: string, name: string) =>
    api.delete({ resource, namespace, name }, undefined, NEVER);
  /** Resolves to the object once it is there, and as wanted. */
  const there = async (
    resource: ResourceKind,
    namespace: string,
    name: string,
    isWanted: (object: KubernetesObject) => boolean = () => true,
  ) =>
    await eventualValue(async () => {
      const found = await get(resource, namespace, name);
      return found !== undefined && isWanted(found) ? found : undefined;
    }, 15_000);
  const gone = async (resource: ResourceKind, namespace: string, name: string) =>
    await eventualValue(async () => ((await get(resource, namespace, name)) ? undefined : true), 15_000);
  /** Resolves to the message of Ready once that has this reason. */
  const untilReady = async (namespace: string, name: string, reason: string): Promise<string> =>
    await eventualValue(async () => {
      const found = await get(LARGE_PAYLOAD_STORES, namespace, name);
      const ready = listAt(found?.status, 'conditions').find(({ type }) => type === 'Ready');
      return textAt(ready, 'reason') === reason ? textAt(ready, 'message') : undefined;
    }, 15_000);
  /** As a user other than the operator. */
  const change = async (resource: ResourceKind, object: KubernetesObject, fields: object): Promise<void> => {
    await api.replace(resource, { ...object, ...fields }, NEVER);
  };
  /** Changes the specification of a store, whose status the operator may write at the same time. */
  const editStore = async (namespace: string, name: string, fields: object): Promise<void> => {
    await eventualValue(async () => {
      const found = await there(LARGE_PAYLOAD_STORES, namespace, name);
      const changing = change(LARGE_PAYLOAD_STORES, found, {
        spec: { ...(found.spec as object), ...fields },
      });
      return await changing.then(
        () => true,
        (error: ApiError) => (error.reason === 'Conflict' ? undefined : Promise.reject(error)),
      );
    });
  };
  return { bed, api: () => api, get, create, remove, there, gone, untilReady, change, editStore };
}
