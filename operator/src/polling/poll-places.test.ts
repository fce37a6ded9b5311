import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type PodQuestion, PodQuestions } from './poll-places.ts';

/** Questions that are answered when the test says so. */
function pool() {
  const questions = new PodQuestions();
  const asked: string[] = [];
  const ends = new Map<string, () => void>();
  const put = (name: string, wasSilent = false): PodQuestion => {
    const ask = () => {
      asked.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    };
    const question = { wasSilent, ask };
    questions.put(question);
    return question;
  };
  const putMany = (count: number, name: string, wasSilent = false) => {
    for (let index = 0; index < count; index++) put(`${name}-${index}`, wasSilent);
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    ends.delete(name);
    await turn();
  };
  return { questions, asked, put, putMany, end, ends };
}

test('asks 20 at a time, in their order', async () => {
  const { asked, putMany, end } = pool();
  putMany(23, 'pod');
  expect(asked).toHaveLength(20);
  await end('pod-7');
  await end('pod-3');
  expect(asked.slice(20)).toEqual(['pod-20', 'pod-21']);
});

test('those that were silent leave half of the places to others', async () => {
  const { asked, put, putMany, end } = pool();
  putMany(1_000, 'silent', true);
  expect(asked).toHaveLength(10);
  put('new');
  expect(asked.at(-1)).toBe('new');
  await end('silent-0');
  expect(asked.at(-1)).toBe('silent-10');
});

test('those that were silent come after others', async () => {
  const { asked, put, putMany, end } = pool();
  putMany(20, 'busy');
  put('silent', true);
  put('new');
  await end('busy-0');
  expect(asked.at(-1)).toBe('new');
  await end('busy-1');
  expect(asked.at(-1)).toBe('silent');
});

test('one that is withdrawn is not asked', async () => {
  const { questions, asked, put, putMany, end } = pool();
  putMany(20, 'busy');
  const withdrawn = put('withdrawn');
  expect(questions.withdraw(withdrawn)).toBe(true);
  await end('busy-0');
  expect(asked).not.toContain('withdrawn');
  const begun = put('begun');
  expect(questions.withdraw(begun)).toBe(false);
});

test('is settled once nothing is under way, and nothing waits', async () => {
  const { questions, putMany, end, ends } = pool();
  await questions.settled();
  putMany(21, 'pod');
  let isSettled = false;
  const settling = questions.settled().then(() => {
    isSettled = true;
  });
  while (ends.size > 0) {
    await turn();
    expect(isSettled).toBe(false);
    await Promise.all([...ends.keys()].map(end));
  }
  await settling;
});
