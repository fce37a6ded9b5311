import { textOf } from '@largepayload/testing/documents/markdown';
import { expect, test } from 'vitest';
import { perCoreTable } from './per-core.ts';

test('what docs/scale.md says of one core follows from docs/performance.md', () => {
  expect(textOf('docs/scale.md')).toContain(perCoreTable());
});
