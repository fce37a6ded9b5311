import { expect, test } from 'vitest';
import { ApiError, type KubernetesApi, type KubernetesObject, type ResourceKind } from '../kubernetes/api.ts';
import { refusal } from '../kubernetes/api-failures.ts';
import { DEPLOYMENTS } from '../kubernetes/resources.ts';
import { but, wellStore } from '../stores/situation.fixture.ts';
import { desiredFor } from '../stores/stores.fixture.ts';
import { PlanExecutor } from './plan-executor.ts';

const NEVER = new AbortController().signal;
const { observed } = but(wellStore(), { objects: [] });
const failing = (status: number, message: string) =>
  refusal(
    'apply deployments payments/orders-gateway',
    { statusCode: status, headers: {} },
    JSON.stringify({ kind: 'Status', message, reason: 'InternalError', code: status }),
  );

/** An API server that has nothing and takes everything, but for what `refuse` throws at. */
function apiThat(refuse: (resource: ResourceKind) => unknown): KubernetesApi {
  const apply = async (resource: ResourceKind, object: KubernetesObject) => {
    const error = refuse(resource);
    if (error !== undefined) throw error;
    return object;
  };
  return { apply, get: async () => undefined } as unknown as KubernetesApi;
}

test.each([400, 403, 404, 409, 422])(
  'an apply that the API server refuses with %d keeps nothing else from being written',
  async (status) => {
    const executor = new PlanExecutor(
      apiThat((resource) => (resource === DEPLOYMENTS ? failing(status, 'no') : undefined)),
    );
    expect(await executor.run(observed, desiredFor(), NEVER)).toBe(2_000);
    expect(executor.refusals.map(({ name }) => name)).toEqual(['orders-gateway', 'orders-reaper']);
  },
);

test('a webhook that cannot be called counts as a refusal', async () => {
  const error = failing(500, 'failed calling webhook "broken.example.com"');
  const executor = new PlanExecutor(apiThat((resource) => (resource === DEPLOYMENTS ? error : undefined)));
  await executor.run(observed, desiredFor(), NEVER);
  expect(executor.refusals[0]).toMatchObject({
    name: 'orders-gateway',
    message: expect.stringContaining('webhook'),
  });
});

test.each([0, 429, 500, 503])(
  'an API server that answers an apply with %d ends the round, and is not reported at once',
  async (status) => {
    const executor = new PlanExecutor(
      apiThat((resource) => (resource === DEPLOYMENTS ? failing(status, 'not now') : undefined)),
    );
    await expect(executor.run(observed, desiredFor(), NEVER)).rejects.toThrow(ApiError);
    expect(executor.refusals).toEqual([]);
  },
);

test('an error that is no answer of the API server is passed on and never reported', async () => {
  const executor = new PlanExecutor(apiThat(() => new TypeError('a mistake of ours')));
  await expect(executor.run(observed, desiredFor(), NEVER)).rejects.toThrow('a mistake of ours');
  expect(executor.refusals).toEqual([]);
});
