import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serviceErrors } from './service-errors.ts';

test('the codec knows every error that docs/wire-errors.md lists', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../docs/wire-errors.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\| (yes|no) +\|/gm)];
  const documented = rows.map(([, code, status, retryable]) => [
    code,
    { status: Number(status), retryable: retryable === 'yes' },
  ]);
  expect([...serviceErrors]).toEqual(documented);
});
