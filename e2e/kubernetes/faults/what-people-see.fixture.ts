import { expect } from 'vitest';
import type { StoreBed } from '../fixtures/store.fixture.ts';
import { OPERATOR_NAMESPACE } from '../fixtures/suite.fixture.ts';
import { podsOf } from './pods.fixture.ts';

interface Events {
  readonly items: readonly { readonly reason: string; readonly message: string }[];
}

/** Enough Events for a store that failed, was corrected and became ready. More would be a flood. */
const MOST_EVENTS = 12;
/** lines of all pods of a store during one test */
const MOST_LOG_LINES = 200;

/**
 * Asserts that the Events of a store do not repeat, that Events and logs are few, and that no log has a stack trace.
 * @returns how many Events there are
 */
export async function expectCalm(bed: StoreBed, store: string): Promise<number> {
  const events = await eventsOf(bed, store);
  if (!(await hasOperatorRestarted(bed))) expect(events, 'Events said twice').toEqual([...new Set(events)]);
  expect(events.length, events.join('\n')).toBeLessThanOrEqual(MOST_EVENTS);
  const described = await bed.kubectl('describe', 'lps', store);
  for (const event of events) expect(described).toContain(event.slice(event.indexOf(': ') + 2));
  const logs = await Promise.all((await podsOf(bed, store)).map(({ name }) => logOf(bed, name)));
  const log = logs.join('');
  expect(log).not.toMatch(/^\s+at |\\n\s+at /m);
  expect(log.split('\n').length, log).toBeLessThanOrEqual(MOST_LOG_LINES);
  return events.length;
}

/** The Events of this store only: an earlier store of that name had another UID. */
async function eventsOf(bed: StoreBed, store: string): Promise<readonly string[]> {
  const uid = await bed.kubectl('get', 'lps', store, '--output=jsonpath={.metadata.uid}');
  const events = await bed.json<Events>('get', 'events', `--field-selector=involvedObject.uid=${uid}`);
  return events.items.map(({ reason, message }) => `${reason}: ${message}`);
}

/** An operator that has restarted may repeat an Event, since it does not know what it wrote before. */
async function hasOperatorRestarted({ cluster }: StoreBed): Promise<boolean> {
  const restarts = '--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}';
  return /[1-9]/.test(await cluster.kubectl('--namespace', OPERATOR_NAMESPACE, 'get', 'pods', restarts));
}

async function logOf(bed: StoreBed, pod: string): Promise<string> {
  return await bed.kubectl('logs', pod).catch((error: Error) => {
    if (/is waiting to start|not found/.test(error.message)) return '';
    throw error;
  });
}
