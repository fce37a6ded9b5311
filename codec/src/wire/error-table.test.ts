import { textOf } from '@largepayload/testing/documents/markdown';
import { expect, test } from 'vitest';
import { errorTable } from './error-table.ts';

test('the codec knows every error that docs/wire-errors.md lists', () => {
  const rows = [...textOf('docs/wire-errors.md').matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\| (yes|no) +\|/gm)];
  const documented = rows.map(([, code, status, retryable]) => [
    code,
    { status: Number(status), retryable: retryable === 'yes' },
  ]);
  expect(Object.entries(errorTable)).toEqual(documented);
});
