import { textOf } from '@largepayload/testing/documents/markdown';
import { expect, test } from 'vitest';
import { IntegrityError } from './integrity-error.ts';
import { ERROR_TABLE, ServiceError } from './service-error.ts';
import { StorageError } from './storage-error.ts';
import { toServiceError } from './to-service-error.ts';

test('docs/wire-errors.md holds the table of errors, in its order', () => {
  const rows = [
    ...textOf('docs/wire-errors.md').matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\| (yes|no) +\| (.+) \|$/gm),
  ];
  const documented = rows.map(([, code, status, retryable]) => ({
    code,
    status: Number(status),
    retryable: retryable === 'yes',
  }));
  expect(documented).toEqual(Object.entries(ERROR_TABLE).map(([code, row]) => ({ code, ...row })));
});

test('an error keeps its code, and what nobody foresaw tells the client nothing', () => {
  const known = new ServiceError('busy', 'later');
  expect(toServiceError(known)).toBe(known);
  expect(toServiceError(new StorageError('full', 'no space left'))).toMatchObject({
    code: 'storage_full',
    status: 507,
  });
  expect(toServiceError(new StorageError('unavailable', 'gone'))).toMatchObject({
    code: 'storage_unavailable',
  });
  expect(toServiceError(new IntegrityError('other bytes'))).toMatchObject({ code: 'integrity', status: 502 });
  const secret = new Error('password=hunter2');
  for (const thrown of [secret, 'password=hunter2', undefined]) {
    const answer = toServiceError(thrown);
    expect(answer).toMatchObject({ code: 'internal', status: 500, cause: thrown });
    expect(answer.message).not.toContain('hunter2');
  }
});
