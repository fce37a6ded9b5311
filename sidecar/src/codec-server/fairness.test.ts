import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { startService } from '@largepayload/testing/service/running-service';
import { expect, test } from 'vitest';
import { decoded, JSON_HEADERS, payload, startCodec, stored } from './codec-server.fixture.ts';

test('callers that send slowly give their places up to others that wait', async () => {
  await using service = await startService();
  await using server = await startCodec(service.data, { limits: { concurrentCalls: 2, bodyTime: 60_000 } });
  const reference = await stored(service.data, 'in turn');
  const slow: RawConnection[] = [];
  for (let index = 0; index < 6; index += 1) {
    const connection = await RawConnection.open(server.address);
    await connection.sendHead('POST /decode HTTP/1.1', { ...JSON_HEADERS, 'Content-Length': '1000000' });
    slow.push(connection);
  }
  const dripping = setInterval(() => {
    for (const connection of slow) void connection.send(' '.repeat(100));
  }, 100);
  try {
    // Each of the six keeps its place for some seconds only, where it would be a minute.
    expect(await decoded(server, reference)).toEqual([payload('in turn')]);
  } finally {
    clearInterval(dripping);
    for (const connection of slow) connection.socket.destroy();
  }
});
