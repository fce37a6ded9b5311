import { expect, test } from 'vitest';
import { problemsOf } from '../manifest.fixture.ts';
import { storeCases } from './all.fixture.ts';

/** What the API server makes of the same manifests: `crd.e2e.ts`. */
test.each(storeCases)('$name', ({ text, problem }) => {
  const expected =
    problem === undefined ? [] : [{ ...problem, message: expect.stringContaining(problem.message) }];
  expect(problemsOf(text)).toEqual(expected);
});
