import { call, expectError } from '@largepayload/testing/service/http-call';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ServiceError } from '../errors/service-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { OPERATIONS_PORT } from '../memory/process-limits.ts';
import { buildApp } from './app.ts';

const TIMES = { headersTimeout: 5_000, keepAliveTimeout: 5_000, requestTimeout: 0 };

/** The lines that a server logs when its handler fails with this error. */
async function linesAfter(error: Error): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const handler = () => Promise.reject(error);
  const settings = { connections: OPERATIONS_PORT, ...TIMES, answersExpect: true };
  const app = buildApp(log, [{ method: 'GET', url: '/fails', handler }], settings);
  try {
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as { port: number };
    expectError(await call(`127.0.0.1:${port}`, '/fails'), 'internal');
  } finally {
    await app.close();
  }
  return lines;
}

test.each([
  ['as it was thrown', new Error('a fault in the code')],
  ['as a handler counted it', toServiceError(new Error('a fault in the code'))],
])('an unexpected error is in the log with its own text, %s', async (_how, error) => {
  expect(await linesAfter(error)).toMatchObject([
    { msg: 'request failed', url: '/fails', err: { message: 'a fault in the code' } },
  ]);
});

test('an internal error that a gateway answered is not in the log, as the gateway has it in its own', async () => {
  expect(await linesAfter(new ServiceError('internal', 'internal error'))).toEqual([]);
});
