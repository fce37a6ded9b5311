import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryCgroup, whyNoMemoryCgroup } from '@largepayload/testing/processes/memory-cgroup';
import { headText } from '@largepayload/testing/servers/raw-connection';
import { call } from '@largepayload/testing/service/http-call';
import { metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import { realProgram } from '@largepayload/testing/service/real-program';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const MIB = 1024 * 1024;
const { serve, newFolder } = realProgram();

const reason = whyNoMemoryCgroup();
if (reason !== undefined) console.log(`skipped, as no memory can be limited here: ${reason}`);

/** Connections that send the text, and then nothing more. */
async function flood(address: string, count: number, text: string): Promise<Disposable> {
  const { hostname, port } = new URL(`http://${address}`);
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const localAddress = `127.0.0.${2 + (index % 200)}`;
    const socket = connect({ host: hostname, port: Number(port), localAddress }, () => socket.write(text));
    socket.on('error', () => {}).resume();
    sockets.push(socket);
    if (index % 50 === 49) await sleep(10);
  }
  return {
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const { putPath, putHeaders } = testPayload('never sent');
const UNFINISHED = `GET /v2/blobs/get HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(250 * 1024)}`;
const NO_BODY = headText(`PUT ${putPath} HTTP/1.1`, {
  ...putHeaders,
  'X-Temporal-Metadata': metadataHeader({ encoding: 'json/plain', note: 'n'.repeat(130_000) }),
});

test.skipIf(reason !== undefined).each([
  ['heads that are not complete', 512, 'data', UNFINISHED],
  ['heads that are not complete, on the metrics port', 256, 'metrics', UNFINISHED],
  ['large heads whose bodies do not come, in little memory', 256, 'data', NO_BODY],
] as const)('a process lasts and serves beside %s', async (_name, mebibytes, port, text) => {
  using cgroup = memoryCgroup(mebibytes * MIB);
  const dataFolder = await newFolder(`flooded ${crypto.randomUUID()}`);
  {
    await using service = await serve({ dataFolder, wrapper: cgroup.wrapper });
    using _flood = await flood(service[port], 2_040, text);
    await sleep(500);
    for (let index = 0; index < 5; index += 1) {
      const payload = testPayload(`beside the flood ${index}`);
      await eventually('a payload is stored', async () => {
        const put = { method: 'PUT', headers: payload.putHeaders, body: payload.bytes };
        return (await call(service.data, payload.putPath, put).catch(() => undefined))?.status === 201;
      });
    }
    expect(service.process.exitCode ?? service.process.signalCode).toBe(null);
  }
  console.log(`${Math.ceil(cgroup.peak() / MIB)} MiB of ${mebibytes} were used`);
});
