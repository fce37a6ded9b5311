import { expect, onTestFinished, test, vi } from 'vitest';
import { ServiceError } from '../../errors/service-error.ts';
import { FailureLog } from './failure-log.ts';

test('the log has a line when requests begin to fail, by another code too, and when they succeed again', async () => {
  const lines: unknown[] = [];
  const line = (level: string) => (fields: unknown) => void lines.push([level, fields]);
  const failures = new FailureLog({ info: line('info'), warn: line('warn'), error: line('error') });
  const fail = (code: 'gateway_unreachable' | 'token_refused' | 'key_not_found') =>
    expect(failures.of(Promise.reject(new ServiceError(code, `why ${code}`)))).rejects.toMatchObject({
      code,
    });
  expect(await failures.of(Promise.resolve(1))).toBe(1);
  await fail('key_not_found');
  expect(lines).toEqual([]);
  await fail('gateway_unreachable');
  await fail('gateway_unreachable');
  await fail('token_refused');
  await failures.of(Promise.resolve(1));
  await failures.of(Promise.resolve(1));
  expect(lines).toEqual([
    ['warn', { code: 'gateway_unreachable', reason: 'why gateway_unreachable' }],
    ['warn', { code: 'token_refused', reason: 'why token_refused' }],
    ['info', 'the gateway serves requests again'],
  ]);
});

test('requests of which some succeed and others fail have few lines, and what lasts is written', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const lines: string[] = [];
  const line = (fields: unknown) => void lines.push(typeof fields === 'string' ? 'again' : 'fail');
  const failures = new FailureLog({ info: line, warn: line, error: line });
  const fail = () =>
    failures.of(Promise.reject(new ServiceError('gateway_unreachable', 'why'))).catch(() => undefined);
  for (let count = 0; count < 100; count += 1) {
    await fail();
    await failures.of(Promise.resolve());
  }
  await fail();
  expect(lines).toEqual(['fail', 'again']);
  vi.advanceTimersByTime(10_000);
  await fail();
  expect(lines).toEqual(['fail', 'again', 'fail']);
});
