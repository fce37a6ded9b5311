import { expect, test, vi } from 'vitest';
import { ServerTime } from './server-time.ts';

test('the time is that of the API server, although the clock of this machine is wrong or is set', () => {
  vi.useFakeTimers({ now: Date.parse('2031-01-01T00:00:00Z'), toFake: ['Date', 'performance'] });
  try {
    const time = new ServerTime();
    expect(time.now()).toBe(Date.parse('2031-01-01T00:00:00Z'));
    time.learn('Tue, 01 Dec 2026 10:00:00 GMT');
    vi.setSystemTime(Date.parse('2020-01-01T00:00:00Z'));
    expect(time.now()).toBe(Date.parse('2026-12-01T10:00:00Z'));
    for (const useless of [undefined, '', 'yesterday']) time.learn(useless);
    expect(time.now()).toBe(Date.parse('2026-12-01T10:00:00Z'));
  } finally {
    vi.useRealTimers();
  }
});
