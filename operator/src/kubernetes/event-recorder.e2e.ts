import { expect, test } from 'vitest';
import { apiBed, applyCrd, NEVER, store } from './api-server.fixture.ts';
import { EventRecorder } from './event-recorder.ts';
import { EVENTS, LARGE_PAYLOAD_STORES } from './resources.ts';

const bed = apiBed();
const EVENT = {
  type: 'Warning',
  reason: 'QuotaExceeded',
  action: 'CreatePods',
  note: 'no pod fits',
} as const;

async function recorderOf() {
  const namespace = await bed.newNamespace();
  await applyCrd(bed.api());
  const regarding = await bed.api().create(LARGE_PAYLOAD_STORES, store(namespace, 'main'), NEVER);
  const failures: Error[] = [];
  const onFailure = (failure: Error) => failures.push(failure);
  const recorder = new EventRecorder({ api: bed.api(), instance: 'operator-0', onFailure });
  const recorded = async () => {
    await recorder.settled(NEVER);
    return (await bed.api().list({ resource: EVENTS, namespace }, { limit: 500 }, NEVER)).items;
  };
  return { recorder, regarding, namespace, failures, recorded };
}

test('an Event is shown by `kubectl describe`, once', async () => {
  const { recorder, regarding, recorded, namespace, failures } = await recorderOf();
  for (let n = 0; n < 5; n += 1) recorder.record(regarding, EVENT);
  recorder.record(regarding, { ...EVENT, type: 'Normal', reason: 'Available' });
  const events = await recorded();
  expect(events.map(({ reason }) => reason).sort()).toEqual(['Available', 'QuotaExceeded']);
  expect(events.find(({ reason }) => reason === EVENT.reason)).toMatchObject({
    ...EVENT,
    reportingController: 'largepayload.dev/operator',
    reportingInstance: 'operator-0',
    regarding: {
      ...{ apiVersion: 'largepayload.dev/v1alpha1', kind: 'LargePayloadStore' },
      ...{ namespace, name: 'main', uid: regarding.metadata.uid },
    },
  });
  expect(failures).toEqual([]);
});

test('a note is cut to the length that the API takes, not within a character', async () => {
  const { recorder, regarding, recorded, failures } = await recorderOf();
  const notes = ['x'.repeat(1_024), ...['', 'x', 'xx', 'xxx'].map((start) => start + '😀'.repeat(400))];
  for (const note of notes) recorder.record(regarding, { ...EVENT, note });
  const found = (await recorded()).map(({ note }) => note as string);
  expect(failures).toEqual([]);
  expect(found.length).toBe(5);
  expect(found).toContain('x'.repeat(1_024));
  for (const note of found) {
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(Buffer.byteLength(note)).toBeGreaterThan(1_016);
    expect(note).not.toContain('�');
  }
});

test('an Event that cannot be recorded is reported, and may be recorded later', async () => {
  const { recorder, regarding, namespace, recorded, failures } = await recorderOf();
  const metadata = { ...regarding.metadata, namespace: 'there-is-none' };
  recorder.record({ ...regarding, metadata }, EVENT);
  await recorder.settled(NEVER);
  expect(failures.length).toBe(1);
  expect(failures[0]?.message).toMatch(/create events there-is-none\/main\.\w+: .*not found/);
  recorder.record({ ...regarding, metadata: { ...metadata, namespace } }, EVENT);
  expect((await recorded()).length).toBe(1);
});

test('a namespace that is being deleted takes no Event, and that is no failure', async () => {
  const { recorder, regarding, namespace, failures, recorded } = await recorderOf();
  const namespaces = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces' };
  const { metadata } =
    (await bed.api().get({ resource: namespaces, namespace: '', name: namespace }, NEVER)) ?? {};
  // Nothing ends it, as this control plane has no controllers.
  await bed
    .api()
    .delete({ resource: namespaces, namespace: '', name: namespace }, metadata?.uid ?? '', NEVER);
  recorder.record(regarding, EVENT);
  expect(await recorded()).toEqual([]);
  expect(failures).toEqual([]);
});

test('of a hundred different Events of an object 25 are recorded', async () => {
  const { recorder, regarding, recorded } = await recorderOf();
  for (let n = 0; n < 100; n += 1) recorder.record(regarding, { ...EVENT, note: `number ${n}` });
  expect((await recorded()).length).toBe(25);
});
