import { afterEach, expect, test, vi } from 'vitest';
import { ApiError, type KubernetesApi, type KubernetesObject, type PageRequest } from '../kubernetes/api.ts';
import { PODS } from '../kubernetes/resources.ts';
import { Reader } from './reader.ts';

afterEach(() => void vi.useRealTimers());

const pod = (name: number): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${name}` },
});
const reader = (api: Partial<KubernetesApi>) => new Reader(api as KubernetesApi);
const failing = (error: Error) =>
  reader({ get: () => Promise.reject(error), list: () => Promise.reject(error) });
const billing = { resource: PODS, namespace: 'billing' };

test('a list is read page by page, up to the most that is asked for', async () => {
  const asked: PageRequest[] = [];
  const all = Array.from({ length: 450 }, (_, index) => pod(index));
  const api = reader({
    list: async (_selection, page) => {
      asked.push(page);
      const from = Number(page.continue ?? 0);
      const to = from + page.limit;
      const next = to < all.length ? String(to) : undefined;
      return { items: all.slice(from, to), resourceVersion: '1', continue: next };
    },
  });
  expect(await api.list(billing)).toEqual({ kind: 'found', value: { items: all, complete: true } });
  expect(asked.map(({ limit }) => limit)).toEqual([200, 200, 200]);
  const cut = await api.list(billing, 250);
  expect(cut).toEqual({ kind: 'found', value: { items: all.slice(0, 250), complete: false } });
});

test.each<[what: string, error: Error, reading: object]>([
  [
    'a right that is missing is named',
    new ApiError('pods is forbidden', { status: 403, reason: 'Forbidden' }),
    { kind: 'unreadable', why: 'not read: you have no right to list pods in the namespace billing' },
  ],
  [
    'a kind that the API server does not know is unserved',
    new ApiError('no kind', { status: 404 }),
    { kind: 'unserved' },
  ],
  [
    'an API server that fails is quoted',
    new ApiError('etcd is away', { status: 500 }),
    { kind: 'unreadable', why: 'not read (list pods in the namespace billing): etcd is away' },
  ],
])('%s', async (_what, error, reading) => {
  expect(await failing(error).list(billing)).toEqual(reading);
});

test('a request that is not answered ends after 10 s, and the reading says so', async () => {
  vi.useFakeTimers();
  const listed = reader({ list: () => new Promise(() => {}) }).list(billing);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await listed).toMatchObject({
    kind: 'unreadable',
    why: expect.stringContaining('within 10 seconds'),
  });
});

test('the API server is reached when it refuses a right, and not when it does not know the user or does not answer', async () => {
  const refusal = (status: number) => new ApiError(`HTTP ${status}`, { status });
  await expect(failing(refusal(403)).reach()).resolves.toBeUndefined();
  for (const status of [0, 401])
    await expect(failing(refusal(status)).reach()).rejects.toThrow(`HTTP ${status}`);
});
