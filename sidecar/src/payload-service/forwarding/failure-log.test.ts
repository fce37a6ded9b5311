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

test('where some requests fail and others succeed, the log has one pair of lines a minute', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const line = vi.fn();
  const failures = new FailureLog({ info: line, warn: line, error: line });
  const failAndSucceed = async () => {
    const failing = failures.of(Promise.reject(new ServiceError('caller_denied', 'may read only')));
    await expect(failing).rejects.toThrow('may read only');
    await failures.of(Promise.resolve());
  };
  for (let each = 0; each < 10; each += 1) await failAndSucceed();
  expect(line).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(60_000);
  for (let each = 0; each < 10; each += 1) await failAndSucceed();
  expect(line).toHaveBeenCalledTimes(4);
});
