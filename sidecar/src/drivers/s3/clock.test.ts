import { expect, test } from 'vitest';
import { clockGuardOf } from '../../storage-records/clock/clock.fixture.ts';
import { never } from '../conformance/subject.ts';
import { refusal, type Script, scriptedServer } from './scripted-server.fixture.ts';

const dated = (time: number) => new Date(time).toUTCString();

/** A storage whose clock is `ahead` ms ahead; its Date has whole seconds, as all have. */
const clockAhead =
  (ahead: number, script: Script): Script =>
  (exchange) => {
    exchange.response.setHeader('Date', dated(Date.now() + ahead));
    return script(exchange);
  };
const identity: Script = ({ response }) => response.end('{}');
const absent = refusal(404, 'NoSuchKey');

test.concurrent.each([
  ['is there', identity],
  ['is not there', absent],
])('the time is right to half a second, whether store.json %s', async (_title, script) => {
  const server = await scriptedServer(clockAhead(0, script));
  const driver = server.driver();
  // At any part of a second.
  for (let look = 0; look < 12; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 97));
    const before = Date.now();
    const time = await driver.currentTime(never());
    expect(time).toBeGreaterThanOrEqual(before - 500);
    expect(time).toBeLessThanOrEqual(Date.now() + 500);
  }
  expect(server.asked[0]).toMatchObject({ method: 'GET', path: '/payloads/store.json?x-id=GetObject' });
});

test.concurrent.each([-1_400, -700, 0, 700, 1_400])(
  'a storage %d ms ahead is trusted at any moment',
  async (ahead) => {
    const server = await scriptedServer(clockAhead(ahead, identity));
    const guard = clockGuardOf(server.driver(), 0);
    for (let look = 0; look < 8; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 130));
      await guard.check();
    }
  },
);

test.concurrent.each([-3_600_000, -2_700, 2_700, 3_600_000])(
  'a storage %d ms ahead is not, at any moment',
  async (ahead) => {
    const server = await scriptedServer(clockAhead(ahead, identity));
    const guard = clockGuardOf(server.driver(), 0);
    for (let look = 0; look < 8; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 130));
      await expect(guard.check()).rejects.toMatchObject({ code: 'clock_difference' });
    }
  },
);

test('a storage that sends no time is not trusted', async () => {
  const server = await scriptedServer((exchange) => {
    exchange.response.sendDate = false;
    return identity(exchange);
  });
  await expect(server.driver().currentTime(never())).rejects.toMatchObject({ failure: 'unavailable' });
});

test('requests of a machine with a wrong clock are signed with the storage’s time after its refusal', async () => {
  const hour = 3_600_000;
  const signedAt = (text = '') =>
    Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const server = await scriptedServer((exchange) => {
    const difference = signedAt(exchange.headers['x-amz-date'] as string) - (Date.now() + hour);
    const script = Math.abs(difference) > 900_000 ? refusal(403, 'RequestTimeTooSkewed') : absent;
    return clockAhead(hour, script)(exchange);
  });
  expect(await server.driver().open('store.json', never())).toBeUndefined();
  expect(server.asked).toHaveLength(2);
});
