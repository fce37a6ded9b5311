import { connect, type Socket } from 'node:net';
import { memoryCgroup, whyNoMemoryCgroup } from '@largepayload/testing/processes/memory-cgroup';
import { headText } from '@largepayload/testing/servers/raw-connection';
import { call, keyOf } from '@largepayload/testing/service/http-call';
import {
  digestOf,
  generatedBytes,
  getHeaders,
  getPath,
  putPath,
  testPayload,
} from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { expect, test } from 'vitest';

const MIB = 2 ** 20;
const PAYLOADS = 300;
const SIZE = MIB / 4;
const { serve, newFolder } = realProgram();

const reason = whyNoMemoryCgroup();
if (reason !== undefined) console.log(`skipped, as no memory can be limited here: ${reason}`);

/** Puts payloads that differ in their first bytes. @returns their keys */
async function putAll({ data }: ServingProcess): Promise<string[]> {
  const bytes = generatedBytes(SIZE);
  const keys: string[] = [];
  for (let index = 0; index < PAYLOADS; index += 1) {
    bytes.writeUInt32BE(index);
    const headers = { ...testPayload('any').putHeaders, 'Content-Length': String(SIZE) };
    const path = putPath('orders', digestOf(bytes));
    keys.push(keyOf(await call(data, path, { method: 'PUT', headers, body: bytes })));
  }
  return keys;
}

/** A client that asks for the payload and takes none of it. */
function stalledGet(address: string, key: string): Socket {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect({ host: hostname, port: Number(port) }, () => {
    socket.write(headText(`GET ${getPath(key)} HTTP/1.1`, getHeaders(SIZE)));
  });
  return socket.on('error', () => {}).pause();
}

test.skipIf(reason !== undefined)(
  'a service with a cache stays within its memory while a thousand GETs come at once, beside clients that stall and lie',
  { timeout: 120_000 },
  async () => {
    using cgroup = memoryCgroup(256 * MIB);
    const dataFolder = await newFolder('cached');
    const sockets: Socket[] = [];
    {
      await using service = await serve({
        dataFolder,
        wrapper: cgroup.wrapper,
        args: ['--cache-size', '1Gi'],
      });
      const limit = await metric(service, 'payload_store_cache_limit_bytes');
      expect(limit).toBeGreaterThan(32 * MIB);
      expect(service.log).toContainEqual(
        expect.objectContaining({ level: 'warn', wanted: 1024 * MIB, cacheBytes: limit }),
      );
      const keys = await putAll(service);
      for (const key of keys.slice(0, 16)) sockets.push(stalledGet(service.data, key));
      const get = async (index: number) => {
        const key = keys[index % PAYLOADS] as string;
        const size = index % 10 === 0 ? 12 * MIB : SIZE;
        return (await call(service.data, getPath(key), { headers: getHeaders(size) })).status;
      };
      const statuses = new Set<number>();
      let next = 0;
      let most = 0;
      const worker = async () => {
        while (next < 1_000) statuses.add(await get(next++));
        most = Math.max(most, await metric(service, 'payload_store_cache_bytes'));
      };
      await Promise.all(Array.from({ length: 100 }, worker));
      expect(most).toBeGreaterThan(limit / 2);
      expect(most).toBeLessThanOrEqual(limit);
      // The right bytes, a wrong size, and where more wait than can be served.
      for (const status of statuses) expect([200, 400, 503]).toContain(status);
      expect(await metric(service, 'payload_store_cache_evictions_total')).toBeGreaterThan(PAYLOADS);
      expect(service.process.exitCode ?? service.process.signalCode).toBe(null);
      for (const socket of sockets) socket.destroy();
    }
    console.log(`${Math.ceil(cgroup.peak() / MIB)} MiB of 256 were used`);
  },
);
