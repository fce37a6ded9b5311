import { expect, test } from 'vitest';
import { problemsOf } from '../manifest.fixture.ts';
import { storeCases } from './all.fixture.ts';

/** `crd.e2e.ts` gives the same manifests to an API server. */
test.each(storeCases)('$name', ({ text, problem }) => {
  const expected =
    problem === undefined ? [] : [{ ...problem, message: expect.stringContaining(problem.message) }];
  expect(problemsOf(text)).toEqual(expected);
});
