import { connect as connectByTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { memoryCgroup } from '@largepayload/testing/processes/memory-cgroup';
import { headText } from '@largepayload/testing/servers/raw-connection';
import { call, keyOf } from '@largepayload/testing/service/http-call';
import { MEMORY_LIMIT, peakMemoryOfGibibyte } from '@largepayload/testing/service/huge-payload';
import { generatedBytes, getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram } from '@largepayload/testing/service/real-program';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { folderWithCertificate, hello, TRUST, targetOf } from './tls-services.fixture.ts';

const MIB = 1024 * 1024;
const { serve, newFolder } = realProgram();
const { ca } = TRUST;

test('a payload of 1 GiB passes through a bounded memory over TLS', async () => {
  const args = ['--tls-dir', await folderWithCertificate()];
  await using service = await serve({ dataFolder: await newFolder('huge'), args });
  expect(await peakMemoryOfGibibyte(service, ca)).toBeLessThanOrEqual(MEMORY_LIMIT);
}, 180_000);

function whyNoCgroup(): string | undefined {
  try {
    memoryCgroup(64 * MIB)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const reason = whyNoCgroup();
if (reason !== undefined) console.log(`skipped, as no memory can be limited here: ${reason}`);

type Open = (target: { host: string; port: number; localAddress: string }, key: string) => Socket;

const halfHandshake: Open = (target) => {
  // OpenSSL takes the memory of a whole hello when its length is there.
  const socket = connectByTcp(target, () => socket.write(hello(131_000, 12_000)));
  return socket;
};

const idle: Open = (target) => {
  const socket = connect({ ...target, ...TRUST }, () =>
    socket.write(headText('HEAD /v2/health/head HTTP/1.1')),
  );
  return socket.resume();
};

const stalledGet: Open = (target, key) => {
  const { getHeaders } = testPayload(LARGE);
  const socket = connect({ ...target, ...TRUST }, () => {
    socket.write(headText(`GET ${getPath(key)} HTTP/1.1`, getHeaders));
  });
  return socket.pause();
};

const LARGE = generatedBytes(32 * MIB);

test.skipIf(reason !== undefined).each<[string, number, Open]>([
  ['handshakes that go no further', 600, halfHandshake],
  ['idle connections', 600, idle],
  ['large GETs whose bytes are not taken', 60, stalledGet],
])(
  'a process lasts in 256 MiB and serves beside %s',
  async (_name, count, open) => {
    using cgroup = memoryCgroup(256 * MIB);
    const dataFolder = await newFolder(`flooded ${crypto.randomUUID()}`);
    const args = ['--tls-dir', await folderWithCertificate()];
    const sockets: Socket[] = [];
    try {
      await using service = await serve({ dataFolder, args, wrapper: cgroup.wrapper });
      const large = testPayload(LARGE);
      const stored = await call(service.data, large.putPath, {
        method: 'PUT',
        headers: large.putHeaders,
        body: LARGE,
        ca,
      });
      for (let index = 0; index < count; index += 1) {
        const localAddress = `127.0.0.${2 + (index % 20)}`;
        const socket = open({ ...targetOf(service.data), localAddress }, keyOf(stored));
        sockets.push(socket.on('error', () => {}));
        if (index % 20 === 19) await sleep(20);
      }
      await sleep(1_000);
      for (let index = 0; index < 5; index += 1) {
        const payload = testPayload(`beside others ${index}`);
        await eventually('a payload is stored', async () => {
          const put = { method: 'PUT', headers: payload.putHeaders, body: payload.bytes, ca };
          return (await call(service.data, payload.putPath, put).catch(() => undefined))?.status === 201;
        });
      }
      expect(service.process.exitCode ?? service.process.signalCode).toBe(null);
      console.log(`${Math.ceil(cgroup.peak() / MIB)} MiB of 256 were used`);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
  60_000,
);
