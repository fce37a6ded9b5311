import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { memoryCgroup, whyNoMemoryCgroup } from '@largepayload/testing/processes/memory-cgroup';
import { memoryOf } from '@largepayload/testing/processes/process-facts';
import { headText } from '@largepayload/testing/servers/raw-connection';
import { call, keyOf } from '@largepayload/testing/service/http-call';
import {
  generatedBytes,
  getPath,
  type TestPayload,
  testPayload,
} from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { expect, test } from 'vitest';

const MIB = 2 ** 20;
/** The limit that docs/sidecar.md gives for the default cache. */
const LIMIT = 192 * MIB;
const SMALL = { count: 320, bytes: MIB / 4 };
const CLIENTS = 64;
const ROUNDS = 8;
const { serve, sidecar, newFolder } = realProgram();

const reason = whyNoMemoryCgroup();
if (reason !== undefined) console.log(`skipped, as no memory can be limited here: ${reason}`);

interface Stored {
  readonly payload: TestPayload;
  readonly key: string;
}

async function gatewayWithTls(): Promise<{ gateway: ServingProcess; caFile: string }> {
  const [authority, tls] = [testAuthority(), await newFolder('tls')];
  await writeCertificateSecret(tls, authority.issue());
  const caFile = join(await newFolder('authorities'), 'ca.crt');
  await writeFile(caFile, authority.certificate);
  const gateway = await serve({
    ...{ role: 'gateway', dataFolder: await newFolder('data'), args: ['--tls-dir', tls] },
  });
  return { gateway, caFile };
}

function put({ data }: ServingProcess, { putPath, putHeaders, bytes }: TestPayload) {
  return call(data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
}

/** Clients that send this, and then nothing more and take nothing. */
function silentClients({ data }: ServingProcess, texts: readonly string[]): Disposable {
  const { hostname, port } = new URL(`http://${data}`);
  const sockets = texts.map((text): Socket => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text));
    return socket.on('error', () => {}).pause();
  });
  return {
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

test.skipIf(reason !== undefined)(
  'a sidecar with the default cache lasts in 192 MiB, full of payloads, with large and small requests by TLS beside silent clients',
  { timeout: 180_000 },
  async () => {
    using cgroup = memoryCgroup(LIMIT);
    const { gateway, caFile } = await gatewayWithTls();
    await using _gateway = gateway;
    {
      const port = gateway.data.split(':').at(-1);
      await using beside = await sidecar(`https://localhost:${port}`, {
        ...{ wrapper: cgroup.wrapper, args: ['--ca-file', caFile] },
      });
      expect(await metric(beside, 'payload_store_cache_limit_bytes')).toBe(64 * MIB);
      const stored: Stored[] = [];
      for (let first = 0; first < SMALL.count; first += 8) {
        const putting = Array.from({ length: 8 }, async (_, index) => {
          const payload = testPayload(generatedBytes(SMALL.bytes, first + index));
          return { payload, key: keyOf(await put(beside, payload)) };
        });
        stored.push(...(await Promise.all(putting)));
      }
      expect(await metric(beside, 'payload_store_cache_bytes')).toBeGreaterThan(60 * MIB);
      const large = [1, 8, 8, 12].map((mebibytes, index) =>
        testPayload(generatedBytes(mebibytes * MIB, 10_000 + index)),
      );
      const unfinished = `GET /v2/blobs/get HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(250 * 1024)}`;
      const unread = stored
        .slice(-16)
        .map(({ key, payload }) => headText(`GET ${getPath(key)} HTTP/1.1`, payload.getHeaders));
      using _silent = silentClients(beside, [...Array.from({ length: 300 }, () => unfinished), ...unread]);
      const statuses = new Set<number>();
      const client = async (first: number) => {
        for (let round = 0; round < ROUNDS; round += 1) {
          const turn = first + round * CLIENTS;
          const { payload, key } = stored[(turn * 7) % stored.length] as Stored;
          const answer =
            turn % 4 === 0
              ? await put(beside, large[(turn / 4) % large.length] as TestPayload)
              : await call(beside.data, getPath(key), { headers: payload.getHeaders });
          statuses.add(answer.status);
          if (turn % 4 !== 0 && answer.status === 200) expect(answer.body.equals(payload.bytes)).toBe(true);
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
      // 408 and 503: more came than could be served, and codecs retry both.
      for (const status of statuses) expect([200, 201, 408, 503]).toContain(status);
      expect(statuses).toContain(200);
      expect(beside.process.exitCode ?? beside.process.signalCode).toBe(null);
      expect((await put(beside, testPayload('afterwards'))).status).toBe(201);
      // Some 48 MiB are pages of files: shared with other processes of the node, or taken back by the kernel when memory is short.
      const most = memoryOf(beside.process.pid, 'VmHWM');
      console.log(`${Math.ceil(most)} MiB of 192 were used, with pages of files`);
      expect(most).toBeLessThan(200);
    }
  },
);
